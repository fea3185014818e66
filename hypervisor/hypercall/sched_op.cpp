// HYPERVISOR_sched_op. [xen/public sched.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/sched.hpp"

#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

using abi::SchedOp;

Result<Reply> yield(Vcpu& caller, u64) {
    scheduler().yield(caller.unit);
    raise_softirq(Softirq::schedule);
    return Reply{};
}

Result<Reply> block(Vcpu& caller, u64) {
    caller.info().evtchn_upcall_mask = 0;
    caller.block();
    return Reply{};
}

/// Whether one of the ports is pending already. Errors: efault, einval.
Result<bool> any_pending(Vcpu& caller, const abi::SchedPoll& op) {
    const GuestPtr<u32> ports(op.ports);
    for (u32 i = 0; i < op.nr_ports; ++i) {
        if (TRY(caller.domain.events.is_pending(EvtPort{TRY(ports.at(i).read())}))) return true;
    }
    return false;
}

Result<Reply> poll(Vcpu& caller, u64 argument) {
    constexpr u32 most_ports = 128;
    const abi::SchedPoll op = TRY(guest_ptr<abi::SchedPoll>(argument).read());
    REQUIRE(op.nr_ports <= most_ports, einval);
    caller.poll_timer.cancel();
    caller.poll_port = EvtPort{op.nr_ports == 1 ? TRY(GuestPtr<u32>(op.ports).read()) : 0};
    // An event that comes from here on ends the halt; one that came before is seen by the look that follows.
    caller.halt(Vcpu::polling);
    const Result<bool> pending = arch::deliverable(caller) ? Result<bool>(true) : any_pending(caller, op);
    if (!pending || *pending) {
        caller.resume(Vcpu::polling);
        TRY(pending);
        return Reply{};
    }
    if (op.timeout != 0) caller.poll_timer.arm(Nanoseconds{static_cast<i64>(op.timeout)});
    return Reply{};
}

Result<Reply> shutdown(Vcpu& caller, u64 argument) {
    const abi::SchedShutdown op = TRY(guest_ptr<abi::SchedShutdown>(argument).read());
    caller.domain.shutdown(static_cast<u8>(op.reason));
    return Reply{};
}

Result<Reply> shutdown_code(Vcpu& caller, u64 argument) {
    const abi::SchedShutdown op = TRY(guest_ptr<abi::SchedShutdown>(argument).read());
    caller.domain.set_shutdown_code(static_cast<u8>(op.reason));
    return Reply{};
}

Result<Reply> remote_shutdown(Vcpu& caller, u64 argument) {
    const abi::SchedRemoteShutdown op = TRY(guest_ptr<abi::SchedRemoteShutdown>(argument).read());
    const DomainRef domain = TRY(find_domain(DomId{op.domain_id}));
    REQUIRE(may_control(caller.domain, *domain), eperm);
    domain->shutdown(static_cast<u8>(op.reason));
    return Reply{};
}

Result<Reply> watchdog(Vcpu& caller, u64 argument) {
    const abi::SchedWatchdog op = TRY(guest_ptr<abi::SchedWatchdog>(argument).read());
    return Reply{TRY(caller.domain.watchdogs.set(op.id, op.timeout))};
}

Result<Reply> pin_override(Vcpu& caller, u64 argument) {
    REQUIRE(caller.domain.settings.hardware, eperm);
    const abi::SchedPinOverride op = TRY(guest_ptr<abi::SchedPinOverride>(argument).read());
    if (op.pcpu < 0) TRY(caller.affinity.unpin());
    else TRY(caller.affinity.pin(CpuId{static_cast<u32>(op.pcpu)}));
    return Reply{};
}

using Handler = Result<Reply> (*)(Vcpu& caller, u64 argument);
constexpr auto table = [] {
    std::array<Handler, 8> entries{};
    const auto set = [&](SchedOp op, Handler handler) { entries[static_cast<usize>(op)] = handler; };
    set(SchedOp::yield, yield);
    set(SchedOp::block, block);
    set(SchedOp::shutdown, shutdown);
    set(SchedOp::poll, poll);
    set(SchedOp::remote_shutdown, remote_shutdown);
    set(SchedOp::shutdown_code, shutdown_code);
    set(SchedOp::watchdog, watchdog);
    set(SchedOp::pin_override, pin_override);
    return entries;
}();

}  // namespace

/// args: (operation, argument)
Result<Reply> hypercall_sched_op(Vcpu& caller, HypercallArgs& args) {
    const u32 operation = static_cast<u32>(args[0]);
    REQUIRE(operation < table.size(), enosys);
    return table[operation](caller, args[1]);
}

}  // namespace px
