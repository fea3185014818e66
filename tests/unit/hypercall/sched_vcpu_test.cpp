// sched_op, vcpu_op.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/time.hpp"
#include "hypervisor/abi/sched.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

using abi::SchedOp;
using abi::VcpuOp;

class Sched : public HypercallWorld {
protected:
    template <class Op, class... Objects>
    i64 sched(Vcpu& caller, SchedOp operation, Op& op, Objects&... objects) {
        return invoke(hypercall_sched_op, caller, {{number(operation), address(&op)}}, op, objects...);
    }
    template <class Op>
    i64 vcpu_op(Vcpu& caller, VcpuOp operation, u32 vcpu, Op& op) {
        return invoke(hypercall_vcpu_op, caller, {{number(operation), vcpu, address(&op)}}, op);
    }
    i64 vcpu_op(Vcpu& caller, VcpuOp operation, u32 vcpu) { return invoke(hypercall_vcpu_op, caller, {{number(operation), vcpu, 0}}); }
    void pass(Nanoseconds time) {
        arch::host_set_now(time);
        for (u32 cpu = 0; cpu < online_cpus(); ++cpu) per_cpu(CpuId{cpu})->timers.run_expired(time);
    }
};

TEST_F(Sched, BlockUnlessSomethingIsPending) {
    EXPECT_EQ(invoke(hypercall_sched_op, guest(), {{number(SchedOp::block)}}), 0);
    EXPECT_TRUE(guest().is_halted(Vcpu::blocked));
    guest().kick();
    EXPECT_FALSE(guest().is_halted(Vcpu::blocked));
    guest().info().evtchn_upcall_pending = 1;
    EXPECT_EQ(invoke(hypercall_sched_op, guest(), {{number(SchedOp::block)}}), 0);
    EXPECT_FALSE(guest().is_halted(Vcpu::blocked));
}

TEST_F(Sched, PollEndsByEventTimeOrAtOnce) {
    const EvtPort port = *guest_domain().events.bind_ipi(VcpuId{0});
    u32 ports[1] = {port.raw};
    abi::SchedPoll op{{address(ports)}, 1, static_cast<u64>(seconds(5).raw)};
    EXPECT_EQ(sched(guest(), SchedOp::poll, op, ports), 0);
    EXPECT_TRUE(guest().is_halted(Vcpu::polling));
    pass(seconds(4));
    EXPECT_TRUE(guest().is_halted(Vcpu::polling));
    pass(seconds(6));
    EXPECT_FALSE(guest().is_halted(Vcpu::polling));

    op.timeout = 0;
    EXPECT_EQ(sched(guest(), SchedOp::poll, op, ports), 0);
    EXPECT_TRUE(guest().is_halted(Vcpu::polling));
    ASSERT_TRUE(guest_domain().events.send(port).ok());
    EXPECT_FALSE(guest().is_halted(Vcpu::polling));
    EXPECT_EQ(sched(guest(), SchedOp::poll, op, ports), 0);  // still pending
    EXPECT_FALSE(guest().is_halted(Vcpu::polling));
}

TEST_F(Sched, PollBadInput) {
    u32 ports[2] = {1'000'000, 1};
    abi::SchedPoll op{{address(ports)}, 129, 0};
    EXPECT_EQ(sched(guest(), SchedOp::poll, op, ports), error(Errno::einval));
    op.nr_ports = 2;
    EXPECT_EQ(sched(guest(), SchedOp::poll, op, ports), error(Errno::einval));
    EXPECT_FALSE(guest().is_halted(Vcpu::polling));
    op.ports.address = nowhere;
    EXPECT_EQ(sched(guest(), SchedOp::poll, op), error(Errno::efault));
    EXPECT_FALSE(guest().is_halted(Vcpu::polling));
    for (const auto bad : {SchedOp::shutdown, SchedOp::poll, SchedOp::remote_shutdown, SchedOp::shutdown_code, SchedOp::watchdog}) {
        EXPECT_EQ(invoke(hypercall_sched_op, guest(), {{number(bad), nowhere}}), error(Errno::efault)) << number(bad);
    }
    EXPECT_EQ(invoke(hypercall_sched_op, guest(), {{8, 0}}), error(Errno::enosys));
    EXPECT_EQ(invoke(hypercall_sched_op, guest(), {{number(SchedOp::pin_override), nowhere}}), error(Errno::eperm));
}

TEST_F(Sched, ShutdownCodes) {
    abi::SchedShutdown code{number(abi::ShutdownReason::reboot)};
    EXPECT_EQ(sched(guest(), SchedOp::shutdown_code, code), 0);
    EXPECT_FALSE(guest_domain().is_shut_down());
    code.reason = 0;
    EXPECT_EQ(sched(guest(), SchedOp::shutdown, code), 0);
    EXPECT_TRUE(guest_domain().is_shut_down());
    EXPECT_EQ(guest_domain().shutdown_code(), number(abi::ShutdownReason::reboot));  // the first one counts
}

TEST_F(Sched, RemoteShutdownNeedsPrivilege) {
    Domain& other = make_domain(5);
    abi::SchedRemoteShutdown op{5, number(abi::ShutdownReason::crash)};
    EXPECT_EQ(sched(guest(), SchedOp::remote_shutdown, op), error(Errno::eperm));
    EXPECT_FALSE(other.is_shut_down());
    EXPECT_EQ(sched(control(), SchedOp::remote_shutdown, op), 0);
    EXPECT_TRUE(other.is_shut_down());
    op.domain_id = 77;
    EXPECT_EQ(sched(control(), SchedOp::remote_shutdown, op), error(Errno::esrch));
}

TEST_F(Sched, Watchdogs) {
    abi::SchedWatchdog op{0, 10};
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), 1);
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), 2);
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), error(Errno::enospc));
    op = {0, 0};
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), error(Errno::einval));
    op = {3, 10};
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), error(Errno::einval));
    op = {1, 0};
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), 0);
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), error(Errno::einval));  // ended already
    op = {2, 30};
    EXPECT_EQ(sched(guest(), SchedOp::watchdog, op), 0);
    pass(seconds(20));
    EXPECT_FALSE(guest_domain().is_shut_down());
    pass(seconds(31));
    EXPECT_TRUE(guest_domain().is_shut_down());
    EXPECT_EQ(guest_domain().shutdown_code(), number(abi::ShutdownReason::watchdog));
}

TEST_F(Sched, VcpusGoUpAndDown) {
    Vcpu& second = *guest_domain().vcpu(VcpuId{1});
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::is_up, 1), 1);
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::down, 1), 0);
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::is_up, 1), 0);
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::up, 1), error(Errno::einval));  // it has no state to begin with
    u64 context = 0x1234;
    EXPECT_EQ(invoke(hypercall_vcpu_op, guest(), {{number(VcpuOp::initialise), 1, nowhere}}), error(Errno::efault));
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::initialise, 1, context), 0);
    EXPECT_EQ(second.arch.context, 0x1234u);
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::initialise, 1, context), error(Errno::eexist));
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::up, 1), 0);
    EXPECT_FALSE(second.is_halted(Vcpu::down));
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::send_nmi, 1), 0);
    EXPECT_EQ(second.arch.nmis.load(), 1u);
    // Nobody is left: the domain has powered itself off.
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::down, 1), 0);
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::down, 0), 0);
    EXPECT_TRUE(guest_domain().is_shut_down());
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::is_up, 2), error(Errno::enoent));
    EXPECT_EQ(invoke(hypercall_vcpu_op, guest(), {{14, 0, 0}}), error(Errno::enosys));
}

TEST_F(Sched, Timers) {
    arch::host_set_now(seconds(10));
    abi::VcpuSetSingleshotTimer single{static_cast<u64>(seconds(9).raw), abi::singleshot_timer_future};
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::set_singleshot_timer, 0, single), 0);  // gone by: due at once, whatever the flag says
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::set_singleshot_timer, 1, single), error(Errno::einval));  // another's
    single.timeout_abs_ns = static_cast<u64>(seconds(11).raw);
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::set_singleshot_timer, 0, single), 0);
    EXPECT_TRUE(guest().singleshot_timer.armed());
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::stop_singleshot_timer, 0), 0);
    EXPECT_FALSE(guest().singleshot_timer.armed());
    abi::VcpuSetPeriodicTimer periodic{999'999};
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::set_periodic_timer, 0, periodic), error(Errno::einval));
    periodic.period_ns = ~u64{0};
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::set_periodic_timer, 0, periodic), error(Errno::einval));
    periodic.period_ns = 1'000'000;
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::set_periodic_timer, 0, periodic), 0);
    EXPECT_EQ(guest().periodic_timer.deadline(), seconds(10) + milliseconds(1));
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::stop_periodic_timer, 0), 0);
    EXPECT_FALSE(guest().periodic_timer.armed());
}

TEST_F(Sched, Areas) {
    abi::VcpuRunstateInfo area{};
    area.state = 77;
    abi::VcpuRegisterRunstateMemoryArea registration{};
    registration.addr.p = address(&area);
    EXPECT_EQ(invoke(hypercall_vcpu_op, guest(), {{number(VcpuOp::register_runstate_memory_area), 0, address(&registration)}}, registration,
                     area),
              0);
    EXPECT_NE(area.state, 77);
    EXPECT_EQ(guest().runstate.guest_area, address(&area));
    abi::VcpuRegisterVcpuInfo info{5, 100, 0};
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::register_vcpu_info, 0, info), error(Errno::einval));  // misaligned
    info = {9999, 0, 0};
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::register_vcpu_info, 0, info), error(Errno::einval));  // no memory there
    info = {5, 64, 0};
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::register_vcpu_info, 0, info), 0);
    EXPECT_EQ(&guest().info(), reinterpret_cast<abi::VcpuInfo*>(page(guest_domain(), Gfn{5}) + 64));
    EXPECT_EQ(vcpu_op(guest(), VcpuOp::register_vcpu_info, 0, info), error(Errno::einval));  // once
}

}  // namespace
}  // namespace px
