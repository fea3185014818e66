// Into a PV guest and out of it.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/pv/machine/deliver.hpp"
#include "arch/x86/pv/machine/switch.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

extern "C" void pv_enter(EntryArea* area);  // entry.S

enum class Way : u32 { leave = 0, by_iret = 1, by_sysret = 2 };  // entry.S knows them

bool has_pending(Vcpu& vcpu) {
    const abi::VcpuInfo& info = vcpu.info();
    return (info.evtchn_upcall_pending != 0 && info.evtchn_upcall_mask == 0) || vcpu.arch.nmi_pending;
}

/// SYSRET to an address that isn't canonical would fault in ring 0, on the guest's stack [CVE-2012-0217]; it loses RF.
Way way_back(const VcpuState& state) {
    const arch::TrapFrame& frame = state.area.frame;
    const bool plain = (frame.rflags & (flags::trap | flags::resume)) == 0 && is_canonical(frame.rip);
    return state.by_sysret && plain ? Way::by_sysret : Way::by_iret;
}

/// Apart, so that the common case saves no registers.
[[gnu::noinline]] Way after_attention(Vcpu& vcpu) {
    if (has_pending(vcpu)) {
        deliver_pending(vcpu);
        if (!vcpu.is_runnable()) return Way::leave;
    }
    if (arch::mitigations().at_entries()) arch::clear_before_entry();
    return way_back(state_of(vcpu));
}

}  // namespace

void run(Vcpu& vcpu) { pv_enter(&state_of(vcpu).area); }

/// The last look before the guest goes on. Interrupts off: what comes after it takes the guest back out at once.
extern "C" Way pv_before_entry(arch::TrapFrame*) {
    PerCpu& cpu = this_cpu();
    Vcpu& vcpu = *cpu.current;
    if (cpu.softirqs.load(std::memory_order_relaxed) != 0 || !vcpu.is_runnable()) return Way::leave;
    if (has_pending(vcpu) || arch::mitigations().at_entries()) return after_attention(vcpu);
    return way_back(state_of(vcpu));
}

/// The processor refused the guest's frame.
extern "C" void pv_return_failed(arch::TrapFrame*) {
    arch::irq_enable();
    deliver_failsafe(current_vcpu());
}

/// A debug exception of ring 3, which came on a stack of its own: its frame becomes the vCPU's.
extern "C" EntryArea* pv_take_debug_frame(const arch::TrapFrame* frame) {
    EntryArea& area = state_of(current_vcpu()).area;
    area.frame = *frame;
    return &area;
}

}  // namespace px::pv
