// The kernel's Xen devices, and a plain word when one can't be opened.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"

namespace px::call {

/// Where the kernel shows itself; tests point it elsewhere.
struct SystemPaths {
    std::string devices = "/dev/xen";
    std::string hypervisor = "/sys/hypervisor";
};

/// Opens `devices`/`name` for reading and writing. The error tells these causes apart: not booted under the hypervisor,
/// the kernel module that makes the device (`module`) not loaded, no permission.
Outcome<Fd> open_device(std::string_view name, std::string_view module, const SystemPaths& paths = {});

}  // namespace px::call
