// What enters the kernel of the current PV guest.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/deliver.hpp"

#include "arch/x86/pv/machine/address_space.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/machine/guest_memory.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/console/log.hpp"

namespace px::pv {
namespace {

namespace exception = arch::exception;

bool sees_iopl(const Vcpu& vcpu) { return assisted(vcpu, abi::VmassistType::architectural_iopl); }

void crash(Vcpu& vcpu, const char* why) {
    const arch::TrapFrame& frame = state_of(vcpu).area.frame;
    guest_log(LogLevel::error, "dom{} vcpu{}: vector {} error {:#x} at {:#x}, rsp {:#x}, cr2 {:#x}, kernel's stack {:#x}", vcpu.domain.id,
              vcpu.id, frame.vector, frame.error_code, frame.rip, frame.rsp, vcpu.info().arch.cr2, state_of(vcpu).kernel_sp);
    vcpu.domain.crash(why);
}

[[gnu::always_inline]] inline void enter(Vcpu& vcpu, const Entrance entrance) {
    VcpuState& state = state_of(vcpu);
    CpuFrame frame = frame_of_vcpu(vcpu);
    if (!state.in_kernel) change_mode(state);  // the stack is in the kernel's tables
    Result<> entered;
    {
        const UserAccess access;
        entered = enter_kernel(
            frame, entrance, state.kernel_sp, sees_iopl(vcpu),
            [](u64 address, u64 word) __attribute__((always_inline)) { return store_word(address, word); });
    }
    if (!entered)
        return crash(vcpu, entered.error() == Errno::efault ? "its kernel's stack can't be written"
                                                            : "its kernel has no handler, or no stack for it");
    take_frame(vcpu, frame);
}

}  // namespace

void deliver_exception(Vcpu& vcpu, u8 vector, std::optional<u32> error_code) {
    const TrapGate& gate = state_of(vcpu).traps.gate(vector);
    enter(vcpu, {.address = gate.address, .masks_events = gate.masks_events, .error_code = error_code});
}

void deliver_page_fault(Vcpu& vcpu, u64 address, u32 error_code) {
    constexpr u32 by_user = 4;
    vcpu.arch.control.cr2 = vcpu.info().arch.cr2 = address;
    deliver_exception(vcpu, exception::page_fault, (error_code & ~by_user) | (state_of(vcpu).in_kernel ? 0 : by_user));
}

void deliver_syscall(Vcpu& vcpu, const Callback& callback) {
    if (callback.address != 0) return enter(vcpu, {.address = callback.address, .masks_events = callback.masks_events});
    // As if the instruction didn't exist for users.
    constexpr u64 syscall_length = 2;
    state_of(vcpu).area.frame.rip -= syscall_length;
    deliver_exception(vcpu, exception::general_protection, 0);
}

void deliver_failsafe(Vcpu& vcpu) {
    const VcpuState& state = state_of(vcpu);
    u16 ds, es, fs, gs;
    asm volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    enter(vcpu, {.address = state.failsafe.address,
                 .masks_events = state.failsafe.masks_events,
                 .is_failsafe = true,
                 .data_selectors = {ds, es, fs, gs}});
}

void deliver_pending(Vcpu& vcpu) {
    VcpuState& state = state_of(vcpu);
    if (vcpu.arch.nmi_pending && !state.nmi_masked && state.traps.gate(exception::nmi).address != 0) {
        vcpu.arch.nmi_pending = false;  // before it is delivered: one that comes now is another
        state.nmi_masked = true;
        deliver_exception(vcpu, exception::nmi);
    }
    const abi::VcpuInfo& info = vcpu.info();
    if (__atomic_load_n(&info.evtchn_upcall_pending, __ATOMIC_ACQUIRE) == 0 || info.evtchn_upcall_mask != 0) return;
    enter(vcpu, {.address = state.event.address, .masks_events = true});
}

}  // namespace px::pv
