// HYPERVISOR_physdev_op: what a PVH hardware domain may tell about its devices. [xen/public physdev.h]
//
// Such a domain has no physical IRQs: it binds interrupts through its virtual I/O APIC and MSI, so most operations are
// unknown to it.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/physdev.hpp"

#include "arch/x86/hvm/hypercalls.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {

/// args: (operation, argument)
Result<Reply> hypercall_physdev_op(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(caller.domain.settings.hardware, enosys);
    // Devices are reached through the PCI configuration space that is trapped anyway; nothing more needs to be known.
    switch (abi::PhysdevOp{static_cast<u32>(args[0])}) {
    case abi::PhysdevOp::pci_mmcfg_reserved: (void)TRY(guest_ptr<abi::PhysdevPciMmcfgReserved>(args[1]).read()); return Reply{};
    case abi::PhysdevOp::pci_device_add: (void)TRY(guest_ptr<abi::PhysdevPciDeviceAdd>(args[1]).read()); return Reply{};
    case abi::PhysdevOp::pci_device_remove: (void)TRY(guest_ptr<abi::PhysdevPciDevice>(args[1]).read()); return Reply{};
    case abi::PhysdevOp::dbgp_op: (void)TRY(guest_ptr<abi::PhysdevDbgpOp>(args[1]).read()); return Reply{};
    default: return Err{Errno::enosys};
    }
}

}  // namespace px::hvm
