// The kernel's Xen devices, and a plain word when one can't be opened.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/call/device.hpp"

#include <fcntl.h>

#include <fstream>

namespace px::call {

namespace {

bool runs_under_hypervisor(const SystemPaths& paths) {
    std::string type;
    std::getline(std::ifstream(paths.hypervisor + "/type"), type);
    return type == "xen";
}

std::string why(int code, const std::string& device, std::string_view module, const SystemPaths& paths) {
    if (code == EACCES || code == EPERM) return "no permission to open " + device + ": run this as root";
    if (!runs_under_hypervisor(paths)) {
        return "this system was not booted under the hypervisor (" + paths.hypervisor +
               "/type doesn't say 'xen'): choose its entry in the boot menu";
    }
    if (code == ENOENT || code == ENODEV || code == ENXIO) {
        return "the kernel module " + std::string(module) + " is not loaded (no " + device + "): run 'modprobe " + std::string(module) +
               "'";
    }
    return "can't open " + device + ": " + std::strerror(code);
}

}  // namespace

Outcome<Fd> open_device(std::string_view name, std::string_view module, const SystemPaths& paths) {
    std::string device = paths.devices + "/" + std::string(name);
    Fd fd{open(device.c_str(), O_RDWR | O_CLOEXEC)};
    if (!fd) {
        int code = errno;
        return Err{Error{code, why(code, device, module, paths)}};
    }
    return fd;
}

}  // namespace px::call
