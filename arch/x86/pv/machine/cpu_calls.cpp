// Hypercalls on the virtual CPU of a PV guest.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/calls.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/machine/deliver.hpp"
#include "arch/x86/pv/machine/guest_memory.hpp"
#include "arch/x86/pv/machine/segments.hpp"
#include "hypervisor/abi/callback.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

using abi::CallbackType;

/// Errors: einval (nobody may be entered there; unknown).
Result<> set_callback(VcpuState& state, CallbackType type, const Callback& callback) {
    REQUIRE(is_canonical(callback.address), einval);
    switch (type) {
    case CallbackType::event: state.event = callback; return {};
    case CallbackType::failsafe: state.failsafe = callback; return {};
    case CallbackType::syscall: state.syscall = callback; return {};
    case CallbackType::syscall32: state.syscall32 = callback; return {};
    case CallbackType::nmi:
        state.traps.set({.vector = arch::exception::nmi, .flags = 0, .cs = abi::x86::flat_ring3::cs64, .address = callback.address});
        return {};
    // Answered as by a processor that doesn't have SYSENTER in 64-bit mode; kernels take the feature away then.
    case CallbackType::sysenter:
    case CallbackType::sysenter_deprecated: return Err{Errno::einval};
    }
    return Err{Errno::enosys};
}

/// Errors: einval (those that every guest has).
Result<> drop_callback(VcpuState& state, CallbackType type) {
    switch (type) {
    case CallbackType::event:
    case CallbackType::failsafe:
    case CallbackType::syscall: return Err{Errno::einval};
    case CallbackType::nmi: return set_callback(state, type, {});
    case CallbackType::syscall32:
    case CallbackType::sysenter:
    case CallbackType::sysenter_deprecated: return Err{Errno::einval};
    }
    return Err{Errno::enosys};
}

bool read_context(abi::x86::IretContext& to, u64 at) {
    const UserAccess access;
    static_assert(sizeof to == 9 * sizeof(u64));
    u64 word;
    bool failed = true;
    asm volatile(
        "   .irp offset, 0, 8, 16, 24, 32, 40, 48, 56, 64\n"
        "1: movq \\offset(%2), %0\n"
        "   movq %0, \\offset(%3)\n"
        "   .pushsection .exception_table, \"a\"\n"
        "   .quad 1b, 2f\n"
        "   .popsection\n"
        "   .endr\n"
        "   movb $0, %1\n"
        "2:\n"
        : "=&r"(word), "+r"(failed)
        : "r"(at), "r"(&to)
        : "memory");
    return !failed;
}

}  // namespace

/// args: (list)
Result<Reply> set_trap_table(Vcpu& caller, HypercallArgs& args) {
    GuestPtr<abi::x86::TrapInfo> list(args[0]);
    const Progress progress = TRY(state_of(caller).traps.load(list, preemption_pending));
    if (progress == Progress::done) return Reply{};
    args[0] = list.address();
    return run_again;
}

/// args: (ss, rsp)
Result<Reply> stack_switch(Vcpu& caller, HypercallArgs& args) {
    VcpuState& state = state_of(caller);
    state.kernel_ss = guest_selector(args[0]);
    state.kernel_sp = args[1];
    return Reply{};
}

/// args: (event, failsafe, syscall)
Result<Reply> set_callbacks(Vcpu& caller, HypercallArgs& args) {
    VcpuState& state = state_of(caller);
    TRY(set_callback(state, CallbackType::event, {args[0], false}));
    TRY(set_callback(state, CallbackType::failsafe, {args[1], state.failsafe.masks_events}));
    TRY(set_callback(state, CallbackType::syscall, {args[2], state.syscall.masks_events}));
    return Reply{};
}

/// args: (operation, argument)
Result<Reply> callback_op(Vcpu& caller, HypercallArgs& args) {
    VcpuState& state = state_of(caller);
    switch (abi::CallbackOp{static_cast<u32>(args[0])}) {
    case abi::CallbackOp::register_callback: {
        const auto op = TRY(guest_ptr<abi::CallbackRegister>(args[1]).read());
        TRY(set_callback(state, CallbackType{op.type}, {op.address, (op.flags & abi::callback_mask_events) != 0}));
        return Reply{};
    }
    case abi::CallbackOp::unregister_callback: {
        const auto op = TRY(guest_ptr<abi::CallbackUnregister>(args[1]).read());
        TRY(drop_callback(state, CallbackType{op.type}));
        return Reply{};
    }
    }
    return Err{Errno::enosys};
}

/// args: (operation, argument)
Result<Reply> nmi_op(Vcpu& caller, HypercallArgs& args) {
    switch (abi::NmiOp{static_cast<u32>(args[0])}) {
    case abi::NmiOp::register_callback: {
        const auto op = TRY(guest_ptr<abi::NmiCallback>(args[1]).read());
        TRY(set_callback(state_of(caller), CallbackType::nmi, {op.handler_address, false}));
        return Reply{};
    }
    case abi::NmiOp::unregister_callback: TRY(drop_callback(state_of(caller), CallbackType::nmi)); return Reply{};
    }
    return Err{Errno::enosys};
}

/// args: (whether the next use of the FPU is a fault)
Result<Reply> fpu_taskswitch(Vcpu& caller, HypercallArgs& args) {
    u64& cr0 = caller.arch.control.cr0;
    const bool on = static_cast<u32>(args[0]) != 0;
    cr0 = on ? cr0 | arch::cr0::ts : cr0 & ~arch::cr0::ts;
    load_task_switched(on);
    return Reply{};
}

/// args: (register, value)
Result<Reply> set_debugreg(Vcpu& caller, HypercallArgs& args) {
    TRY(set_debug_register(caller, static_cast<u32>(args[0]), args[1]));
    return Reply{};
}
/// args: (register)
Result<Reply> get_debugreg(Vcpu& caller, HypercallArgs& args) {
    const auto value = debug_register(caller, static_cast<u32>(args[0]));
    REQUIRE(value.ok(), einval);
    return Reply{static_cast<i64>(*value)};
}

/// args: (which, base or selector)
Result<Reply> set_segment_base(Vcpu&, HypercallArgs& args) {
    namespace msr = arch::msr;
    const auto which = abi::x86::SegmentBase{static_cast<u32>(args[0])};
    if (which == abi::x86::SegmentBase::gs_user_sel) {
        load_user_gs_selector(static_cast<u16>(args[1]));
        return Reply{};
    }
    REQUIRE(is_canonical(args[1]), einval);
    switch (which) {
    case abi::x86::SegmentBase::fs: arch::write_msr(msr::fs_base, args[1]); return Reply{};
    case abi::x86::SegmentBase::gs_user: arch::write_msr(msr::kernel_gs_base, args[1]); return Reply{};
    case abi::x86::SegmentBase::gs_kernel: arch::write_msr(msr::gs_base, args[1]); return Reply{};
    default: return Err{Errno::einval};
    }
}

void iret(Vcpu& caller) {
    VcpuState& state = state_of(caller);
    const u64 at = state.area.frame.rsp;
    abi::x86::IretContext context;
    CpuFrame frame = frame_of_vcpu(caller);
    if (!is_guest_range(at, sizeof context) || !read_context(context, at))
        return caller.domain.crash("its kernel returns by a frame that can't be read");
    const auto by_sysret =
        leave_kernel(frame, context, state.memory.user_root != nullptr, assisted(caller, abi::VmassistType::architectural_iopl));
    if (!by_sysret) return caller.domain.crash("its kernel returns to users without page tables for them");
    take_frame(caller, frame);
    state.by_sysret = *by_sysret;
    state.nmi_masked = false;
}

}  // namespace px::pv
