// Page faults of PV guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/page_fault.hpp"

#include "arch/x86/pv/descriptor_tables.hpp"
#include "arch/x86/pv/machine/address_space.hpp"
#include "arch/x86/pv/machine/deliver.hpp"
#include "arch/x86/pv/machine/device_write.hpp"
#include "arch/x86/pv/machine/table_write.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

constexpr u32 error_present = 1, error_write = 2, error_reserved = 8, error_fetch = 16;

/// The processor read a descriptor of the LDT. False: the fault is nothing of ours.
bool descriptor_fault(Vcpu& vcpu, u64 address, u32 error_code) {
    const arch::DescriptorArea& area = this_cpu().arch.descriptors;
    const u64 offset = address - area.ldt();
    if (offset >= ldt_pages * page_size) return false;
    VcpuState& state = state_of(vcpu);
    const unsigned page = static_cast<unsigned>(offset / page_size);
    if (map_ldt_page(state.memory, page).ok()) load_ldt_page(state, page);
    else deliver_page_fault(vcpu, state.memory.ldt.lock()->base + offset, error_code);
    return true;
}

}  // namespace

void page_fault(Vcpu& vcpu, u64 address, u32 error_code) {
    const u32 kind = error_code & (error_present | error_write | error_reserved | error_fetch);
    if (!is_guest_address(address)) {
        if (descriptor_fault(vcpu, address, error_code)) return;
    } else if (kind == (error_present | error_write) && state_of(vcpu).in_kernel) {
        // Whether the guest has asked for that assistance or not [known behaviour of 4.17].
        if (write_table(vcpu, address)) return;
        if (machine::has_devices(vcpu.domain) && write_device(vcpu, address)) return;
    }
    deliver_page_fault(vcpu, address, error_code);
}

}  // namespace px::pv
