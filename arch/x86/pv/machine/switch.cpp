// What stays on the CPU while a PV vCPU runs there.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/switch.hpp"

#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/pv/machine/address_space.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/machine/segments.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

namespace msr = arch::msr;

/// Where SYSCALL finds the stack of a CPU; entry.S reads it.
struct alignas(64) Slot {
    u64 stack;      ///< the end of the current vCPU's frame
    u64 guest_rsp;  ///< for the first instructions of an entry
};
extern "C" Slot pv_slots[max_cpus];
extern "C" const char pv_syscall_entries[], pv_syscall_entries32[];
constexpr u64 entry_size = 32;

/// SYSCALL of ring 3 is ours to answer; SYSENTER is nobody's.
void load_syscall_entry(PerCpu& cpu) {
    constexpr u64 masked = flags::trap | flags::interrupts | 1u << 10 | flags::privilege | flags::nested | flags::resume |
                           flags::virtual_8086 | flags::alignment;
    constexpr u64 selectors = u64{arch::selector::user_code32} << 48 | u64{arch::selector::code} << 32;
    arch::write_msr(msr::star, selectors);
    arch::write_msr(msr::lstar, reinterpret_cast<u64>(pv_syscall_entries) + cpu.id.raw * entry_size);
    arch::write_msr(msr::cstar, reinterpret_cast<u64>(pv_syscall_entries32) + cpu.id.raw * entry_size);
    arch::write_msr(msr::sfmask, masked);
    arch::write_msr(msr::sysenter_cs, 0);
    arch::write_msr(msr::efer, arch::read_msr(msr::efer) | arch::efer::sce);
    cpu.arch.syscall_entry_loaded = true;
}

constexpr u64 enabled_breakpoints = 0xff;

}  // namespace

void switch_in(Vcpu& vcpu) {
    PerCpu& cpu = this_cpu();
    VcpuState& state = state_of(vcpu);
    vcpu.domain.arch.running_on.add(cpu.id);
    arch::load_extended_state(vcpu.arch.xsave_area);
    if (arch::has_xsave()) arch::load_xcr0(vcpu.arch.xcr0);
    (void)arch::write_msr_safe(msr::tsc_aux, vcpu.arch.tsc_aux).ok();
    arch::before_guest(u64{vcpu.domain.id.raw} << 32 | (vcpu.id.raw + 1));

    const u64 stack = reinterpret_cast<u64>(&state.area.host_stack);
    cpu.arch.tss.rsp0 = stack;
    pv_slots[cpu.id.raw].stack = stack;
    if (!cpu.arch.syscall_entry_loaded) load_syscall_entry(cpu);
    if (const u64 cr4 = real_cr4(vcpu); cr4 != arch::host_cr4()) arch::write_cr<4>(cr4);
    if ((vcpu.arch.control.cr0 & arch::cr0::ts) != 0) load_task_switched(true);
    load_root(state);
    load_descriptor_tables(state);
    load_segments(state);
    if ((vcpu.arch.dr7 & enabled_breakpoints) != 0) {
        arch::write_debug_addresses(vcpu.arch.debug_address);
        arch::write_debug_control(vcpu.arch.dr7);
    }
}

void switch_out(Vcpu& vcpu) {
    PerCpu& cpu = this_cpu();
    VcpuState& state = state_of(vcpu);
    if ((vcpu.arch.dr7 & enabled_breakpoints) != 0) arch::write_debug_control(dr7_fixed);
    save_segments(state);
    if ((vcpu.arch.control.cr0 & arch::cr0::ts) != 0) load_task_switched(false);
    if (real_cr4(vcpu) != arch::host_cr4()) arch::write_cr<4>(arch::host_cr4());
    if (arch::has_xsave()) arch::load_xcr0(arch::host_xcr0());
    arch::save_extended_state(vcpu.arch.xsave_area);
    leave_address_space();
    cpu.arch.tss.rsp0 = cpu.arch.stack_block + arch::stack_block_top;
    pv_slots[cpu.id.raw].stack = 0;
    vcpu.domain.arch.running_on.remove(cpu.id);
}

}  // namespace px::pv
