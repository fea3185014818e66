// Commands of 4.17 that there is nothing behind yet: each says so plainly.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

struct Reason {
    std::string_view why;
    std::initializer_list<std::string_view> names;
};

const Reason reasons[] = {
    {"guests can't be saved or moved yet", {"save", "restore", "migrate", "migrate-receive", "remus"}},
    {"the memory of a guest can't be written to a file yet", {"dump-core"}},
    {"guests have no CD-ROM drives yet, which only device models have", {"cd-insert", "cd-eject"}},
    {"guests have no screen yet, which only device models have", {"vncviewer"}},
    {"guests run without a device model, so there is no monitor to talk to", {"qemu-monitor-command"}},
    {"PCI devices can't be given to guests yet", {"pci-attach", "pci-detach", "pci-assignable-add", "pci-assignable-remove"}},
    {"guests can't have USB devices yet", {"usbctrl-attach", "usbctrl-detach", "usbdev-attach", "usbdev-detach", "usb-list"}},
    {"guests can't have a TPM yet", {"vtpm-attach", "vtpm-list", "vtpm-detach"}},
    {"guests can't have keyboards yet", {"vkb-attach", "vkb-list", "vkb-detach"}},
    {"guests can't have displays yet", {"vdispl-attach", "vdispl-list", "vdispl-detach"}},
    {"guests can't have sound cards yet", {"vsnd-attach", "vsnd-list", "vsnd-detach"}},
    {"all back ends run in dom0: there are no driver domains yet", {"devd"}},
    {"the hypervisor's parameters are set on its command line only", {"set-parameters"}},
    {"the scheduler is credit2: see 'xl sched-credit2'", {"sched-credit", "sched-rtds"}},
    {"memory isn't shared between domains", {"sharing"}},
    {"there are no security labels", {"getenforce", "setenforce", "loadpolicy"}},
    {"all CPUs and domains belong to Pool-0; there are no other pools yet",
     {"cpupool-create", "cpupool-destroy", "cpupool-rename", "cpupool-cpu-add", "cpupool-cpu-remove", "cpupool-migrate",
      "cpupool-numa-split"}},
    {"cache and memory bandwidth aren't monitored or shared out",
     {"psr-hwinfo", "psr-cmt-attach", "psr-cmt-detach", "psr-cmt-show", "psr-cat-set", "psr-cat-show", "psr-mba-set", "psr-mba-show"}},
};

}  // namespace

std::string_view why_unsupported(std::string_view name) {
    for (const Reason& reason : reasons) {
        for (std::string_view candidate : reason.names) {
            if (candidate == name) return reason.why;
        }
    }
    return {};
}

}  // namespace px::xl
