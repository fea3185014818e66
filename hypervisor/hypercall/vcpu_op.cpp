// HYPERVISOR_vcpu_op: a domain's calls on its own vCPUs. [xen/public vcpu.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/hypercalls.hpp"
#include "arch/time.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

using abi::VcpuOp;

Result<Reply> initialise(Vcpu&, Vcpu& target, u64 argument) {
    REQUIRE(target.has_info(), einval);
    (void)TRY(GuestPtr<u8>(argument).read());  // a bad pointer is the first thing to be said
    REQUIRE(!arch::is_initialised(target), eexist);
    return TRY(arch::initialise_vcpu(target, argument)) == Progress::more ? run_again : Reply{};
}

Result<Reply> up(Vcpu&, Vcpu& target, u64) {
    REQUIRE(arch::is_initialised(target), einval);
    target.resume(Vcpu::down);
    return Reply{};
}

Result<Reply> down(Vcpu& caller, Vcpu& target, u64) {
    caller.domain.take_down(target);
    return Reply{};
}

Result<Reply> is_up(Vcpu&, Vcpu& target, u64) { return Reply{target.is_halted(Vcpu::down) ? 0 : 1}; }

Result<Reply> get_runstate_info(Vcpu&, Vcpu& target, u64 argument) {
    TRY(guest_ptr<abi::VcpuRunstateInfo>(argument).write(target.runstate.snapshot(arch::now())));
    return Reply{};
}

Result<Reply> register_runstate_area(Vcpu&, Vcpu& target, u64 argument) {
    const auto op = TRY(guest_ptr<abi::VcpuRegisterRunstateMemoryArea>(argument).read());
    target.runstate.guest_area = op.addr.p;
    // What can't be written now is tried again at each switch, as the guest may map it later.
    if (op.addr.p != 0) (void)GuestPtr<abi::VcpuRunstateInfo>(op.addr.h).write(target.runstate.snapshot(arch::now())).ok();
    return Reply{};
}

Result<Reply> set_periodic_timer(Vcpu&, Vcpu& target, u64 argument) {
    const auto op = TRY(guest_ptr<abi::VcpuSetPeriodicTimer>(argument).read());
    constexpr u64 shortest = 1'000'000, longest = u64{1} << 62;
    REQUIRE(op.period_ns >= shortest && op.period_ns <= longest, einval);
    target.periodic_period = Nanoseconds{static_cast<i64>(op.period_ns)};
    target.periodic_timer.arm(arch::now() + target.periodic_period);
    return Reply{};
}

Result<Reply> stop_periodic_timer(Vcpu&, Vcpu& target, u64) {
    target.periodic_period = Nanoseconds{0};
    target.periodic_timer.cancel();
    return Reply{};
}

Result<Reply> set_singleshot_timer(Vcpu& caller, Vcpu& target, u64 argument) {
    REQUIRE(&target == &caller, einval);
    const auto op = TRY(guest_ptr<abi::VcpuSetSingleshotTimer>(argument).read());
    const Nanoseconds deadline{static_cast<i64>(op.timeout_abs_ns)};
    // singleshot_timer_future has no effect since 4.11: a time gone by fires at once.
    target.singleshot_timer.arm(deadline);
    return Reply{};
}

Result<Reply> stop_singleshot_timer(Vcpu& caller, Vcpu& target, u64) {
    REQUIRE(&target == &caller, einval);
    target.singleshot_timer.cancel();
    return Reply{};
}

Result<Reply> register_vcpu_info(Vcpu&, Vcpu& target, u64 argument) {
    const auto op = TRY(guest_ptr<abi::VcpuRegisterVcpuInfo>(argument).read());
    const auto registered = target.register_info(Gfn{op.mfn}, op.offset);
    if (!registered) return Err{registered.error() == Errno::efault ? Errno::einval : registered.error()};
    return Reply{};
}

Result<Reply> send_nmi(Vcpu&, Vcpu& target, u64 argument) {
    REQUIRE(argument == 0, einval);
    arch::send_nmi(target);
    return Reply{};
}

Result<Reply> get_physid(Vcpu&, Vcpu&, u64) { return Err{Errno::einval}; }  // only for a hardware domain with pinned vCPUs

Result<Reply> register_time_area(Vcpu& caller, Vcpu& target, u64 argument) {
    const auto op = TRY(guest_ptr<abi::VcpuRegisterTimeMemoryArea>(argument).read());
    target.time_area = op.addr.p;
    if (&target == &caller && op.addr.p != 0) (void)GuestPtr<abi::VcpuTimeInfo>(op.addr.h).write(target.info().time).ok();
    return Reply{};
}

using Handler = Result<Reply> (*)(Vcpu& caller, Vcpu& target, u64 argument);
constexpr auto table = [] {
    std::array<Handler, 14> entries{};
    const auto set = [&](VcpuOp op, Handler handler) { entries[static_cast<usize>(op)] = handler; };
    set(VcpuOp::initialise, initialise);
    set(VcpuOp::up, up);
    set(VcpuOp::down, down);
    set(VcpuOp::is_up, is_up);
    set(VcpuOp::get_runstate_info, get_runstate_info);
    set(VcpuOp::register_runstate_memory_area, register_runstate_area);
    set(VcpuOp::set_periodic_timer, set_periodic_timer);
    set(VcpuOp::stop_periodic_timer, stop_periodic_timer);
    set(VcpuOp::set_singleshot_timer, set_singleshot_timer);
    set(VcpuOp::stop_singleshot_timer, stop_singleshot_timer);
    set(VcpuOp::register_vcpu_info, register_vcpu_info);
    set(VcpuOp::send_nmi, send_nmi);
    set(VcpuOp::get_physid, get_physid);
    set(VcpuOp::register_vcpu_time_memory_area, register_time_area);
    return entries;
}();

}  // namespace

/// args: (operation, vCPU, argument)
Result<Reply> hypercall_vcpu_op(Vcpu& caller, HypercallArgs& args) {
    Vcpu* const target = caller.domain.vcpu(VcpuId{static_cast<u32>(args[1])});
    REQUIRE(target != nullptr, enoent);
    const u32 operation = static_cast<u32>(args[0]);
    REQUIRE(operation < table.size(), enosys);
    return table[operation](caller, *target, args[2]);
}

}  // namespace px
