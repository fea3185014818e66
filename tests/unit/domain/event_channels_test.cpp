// Event channels: what ports are, and delivery by the two-level ABI.
//
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

using abi::EvtchnOp;
using abi::EvtchnStat;

class EventChannelsTest : public World {
protected:
    static abi::SharedInfo& shared(Domain& domain) { return *static_cast<abi::SharedInfo*>(domain.shared_info()); }
    static bool pending(Domain& domain, EvtPort port) { return (shared(domain).evtchn_pending[port.raw / 64] >> (port.raw % 64) & 1) != 0; }
    static void mask(Domain& domain, EvtPort port) { shared(domain).evtchn_mask[port.raw / 64] |= u64{1} << (port.raw % 64); }
    static Vcpu& vcpu(Domain& domain, u32 id = 0) { return *domain.vcpu(VcpuId{id}); }
    /// What a guest does in its upcall handler.
    static void take_events(Domain& domain, u32 id = 0) {
        vcpu(domain, id).info().evtchn_upcall_pending = 0;
        vcpu(domain, id).info().evtchn_pending_sel = 0;
        for (u64& word : shared(domain).evtchn_pending) word = 0;
    }
    static EvtchnStat status(Domain& domain, EvtPort port) {
        abi::EvtchnStatus out{};
        EXPECT_TRUE(domain.events.status(port, out).ok());
        return static_cast<EvtchnStat>(out.status);
    }
    struct Pair {
        Domain& a;
        Domain& b;
        EvtPort port_a, port_b;
    };
    Pair connect(u32 vcpus = 1) {
        Domain& a = make_domain(1, vcpus);
        Domain& b = make_domain(2, vcpus);
        const EvtPort port_a = a.events.alloc_unbound(b.id).value_or(EvtPort{});
        const EvtPort port_b = b.events.bind_interdomain(a, port_a).value_or(EvtPort{});
        EXPECT_NE(port_a.raw, 0u);
        EXPECT_NE(port_b.raw, 0u);
        take_events(b);
        return {a, b, port_a, port_b};
    }
};

TEST_F(EventChannelsTest, AnEventCrossesFromOneDomainToTheOther) {
    auto [a, b, port_a, port_b] = connect();
    vcpu(b).arch.upcalls = 0;
    ASSERT_TRUE(a.events.send(port_a).ok());
    EXPECT_TRUE(pending(b, port_b));
    EXPECT_FALSE(pending(a, port_a));
    EXPECT_EQ(vcpu(b).info().evtchn_upcall_pending, 1);
    EXPECT_EQ(vcpu(b).info().evtchn_pending_sel, 1u);
    EXPECT_EQ(vcpu(b).arch.upcalls, 1u);
    // Until the guest looks, nobody tells it again.
    ASSERT_TRUE(a.events.send(port_a).ok());
    EXPECT_EQ(vcpu(b).arch.upcalls, 1u);
    take_events(b);
    ASSERT_TRUE(a.events.send(port_a).ok());
    EXPECT_EQ(vcpu(b).arch.upcalls, 2u);
}

TEST_F(EventChannelsTest, BindingTellsTheBinderAtOnce) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    const EvtPort port_a = *a.events.alloc_unbound(b.id);
    ASSERT_TRUE(a.events.send(port_a).ok()) << "an unbound port swallows it";
    const EvtPort port_b = *b.events.bind_interdomain(a, port_a);
    EXPECT_TRUE(pending(b, port_b));
    EXPECT_FALSE(pending(a, port_a));
}

TEST_F(EventChannelsTest, OnlyTheNamedDomainBindsAndOnlyOnce) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    Domain& c = make_domain(3);
    const EvtPort port = *a.events.alloc_unbound(b.id);
    EXPECT_EQ(c.events.bind_interdomain(a, port).error(), Errno::einval);
    EXPECT_EQ(b.events.bind_interdomain(a, EvtPort{0}).error(), Errno::einval);
    EXPECT_EQ(b.events.bind_interdomain(a, EvtPort{63}).error(), Errno::einval);
    EXPECT_EQ(b.events.bind_interdomain(a, EvtPort{~0u}).error(), Errno::einval);
    const EvtPort bound = *b.events.bind_interdomain(a, port);
    EXPECT_EQ(bound.raw, 1u) << "the attempts that failed gave their ports back";
    EXPECT_EQ(b.events.bind_interdomain(a, port).error(), Errno::einval);
}

TEST_F(EventChannelsTest, LoopbackWithinADomain) {
    Domain& a = make_domain(1);
    const EvtPort first = *a.events.alloc_unbound(a.id);
    const EvtPort second = *a.events.bind_interdomain(a, first);
    take_events(a);
    ASSERT_TRUE(a.events.send(second).ok());
    EXPECT_TRUE(pending(a, first));
    ASSERT_TRUE(a.events.close(first).ok());
    EXPECT_EQ(status(a, second), EvtchnStat::unbound);
}

TEST_F(EventChannelsTest, AMaskedEventWaitsForTheUnmask) {
    auto [a, b, port_a, port_b] = connect();
    vcpu(b).arch.upcalls = 0;
    mask(b, port_b);
    ASSERT_TRUE(a.events.send(port_a).ok());
    EXPECT_TRUE(pending(b, port_b));
    EXPECT_EQ(vcpu(b).arch.upcalls, 0u);
    ASSERT_TRUE(b.events.unmask(port_b).ok());
    EXPECT_EQ(vcpu(b).arch.upcalls, 1u);
    EXPECT_EQ(b.events.unmask(EvtPort{4000}).error(), Errno::einval);
}

TEST_F(EventChannelsTest, AnEventEndsBlockAndWakesAPoller) {
    auto [a, b, port_a, port_b] = connect(2);
    vcpu(b).block();
    EXPECT_TRUE(vcpu(b).is_halted(Vcpu::blocked));
    vcpu(b, 1).poll_port = port_b;
    vcpu(b, 1).halt(Vcpu::polling);
    ASSERT_TRUE(a.events.send(port_a).ok());
    EXPECT_FALSE(vcpu(b).is_halted(Vcpu::blocked));
    EXPECT_FALSE(vcpu(b, 1).is_halted(Vcpu::polling)) << "whoever the port is bound to";
    EXPECT_TRUE(*b.events.is_pending(port_b));
    EXPECT_FALSE(*a.events.is_pending(port_a));
    EXPECT_EQ(b.events.is_pending(EvtPort{0}).error(), Errno::einval);
}

TEST_F(EventChannelsTest, ClosingLeavesTheOtherEndUnboundForUs) {
    auto [a, b, port_a, port_b] = connect();
    ASSERT_TRUE(a.events.close(port_a).ok());
    EXPECT_EQ(status(a, port_a), EvtchnStat::closed);
    abi::EvtchnStatus out{};
    ASSERT_TRUE(b.events.status(port_b, out).ok());
    EXPECT_EQ(out.status, static_cast<u32>(EvtchnStat::unbound));
    EXPECT_EQ(out.u.unbound.dom, 1);
    EXPECT_TRUE(b.events.send(port_b).ok()) << "nobody hears it";
    EXPECT_EQ(a.events.close(port_a).error(), Errno::einval);
    EXPECT_EQ(a.events.send(port_a).error(), Errno::einval);
    const EvtPort again = *a.events.bind_interdomain(b, port_b);
    EXPECT_EQ(again, port_a) << "the lowest free port";
}

TEST_F(EventChannelsTest, APortThatIsClosedForgetsWhatItWas) {
    auto [a, b, port_a, port_b] = connect(2);
    ASSERT_TRUE(b.events.bind_vcpu(port_b, VcpuId{1}).ok());
    ASSERT_TRUE(a.events.send(port_a).ok());
    ASSERT_TRUE(b.events.close(port_b).ok());
    EXPECT_FALSE(pending(b, port_b));
    abi::EvtchnStatus out{};
    ASSERT_EQ(*b.events.alloc_unbound(a.id), port_b);
    ASSERT_TRUE(b.events.status(port_b, out).ok());
    EXPECT_EQ(out.vcpu, 0u);
}

TEST_F(EventChannelsTest, AVcpuIsToldWhomThePortIsBoundTo) {
    auto [a, b, port_a, port_b] = connect(2);
    ASSERT_TRUE(b.events.bind_vcpu(port_b, VcpuId{1}).ok());
    ASSERT_TRUE(a.events.send(port_a).ok());
    EXPECT_EQ(vcpu(b, 0).info().evtchn_upcall_pending, 0);
    EXPECT_EQ(vcpu(b, 1).info().evtchn_upcall_pending, 1);
    EXPECT_EQ(b.events.bind_vcpu(port_b, VcpuId{2}).error(), Errno::enoent);
    EXPECT_EQ(b.events.bind_vcpu(EvtPort{5}, VcpuId{1}).error(), Errno::einval);
}

TEST_F(EventChannelsTest, IpisGoToTheirVcpuForEver) {
    Domain& a = make_domain(1, 2);
    const EvtPort port = *a.events.bind_ipi(VcpuId{1});
    EXPECT_EQ(a.events.bind_vcpu(port, VcpuId{0}).error(), Errno::einval);
    EXPECT_EQ(a.events.bind_ipi(VcpuId{2}).error(), Errno::enoent);
    ASSERT_TRUE(a.events.send(port).ok());
    EXPECT_EQ(vcpu(a, 1).info().evtchn_upcall_pending, 1);
}

TEST_F(EventChannelsTest, VirqsPerVcpuAndGlobal) {
    Domain& a = make_domain(1, 2);
    constexpr u32 timer = static_cast<u32>(abi::Virq::timer), dom_exc = static_cast<u32>(abi::Virq::dom_exc);
    a.events.notify_vcpu_virq(vcpu(a, 1), abi::Virq::timer);  // bound to nothing: nothing happens
    const EvtPort port = *a.events.bind_virq(timer, VcpuId{1});
    EXPECT_EQ(a.events.bind_virq(timer, VcpuId{1}).error(), Errno::eexist);
    EXPECT_EQ(a.events.bind_virq(timer, VcpuId{2}).error(), Errno::enoent);
    EXPECT_EQ(a.events.bind_virq(24, VcpuId{0}).error(), Errno::einval);
    EXPECT_EQ(a.events.bind_virq(dom_exc, VcpuId{1}).error(), Errno::einval) << "global ones begin on vCPU 0";
    EXPECT_EQ(a.events.bind_vcpu(port, VcpuId{0}).error(), Errno::einval);
    EXPECT_EQ(a.events.send(port).error(), Errno::einval);
    a.events.notify_vcpu_virq(vcpu(a, 0), abi::Virq::timer);
    EXPECT_FALSE(pending(a, port));
    a.events.notify_vcpu_virq(vcpu(a, 1), abi::Virq::timer);
    EXPECT_TRUE(pending(a, port));

    const EvtPort global = *a.events.bind_virq(dom_exc, VcpuId{0});
    ASSERT_TRUE(a.events.bind_vcpu(global, VcpuId{1}).ok());
    a.events.notify_global_virq(abi::Virq::dom_exc);
    EXPECT_TRUE(pending(a, global));
    ASSERT_TRUE(a.events.close(global).ok());
    a.events.notify_global_virq(abi::Virq::dom_exc);
    EXPECT_FALSE(pending(a, global));
    EXPECT_TRUE(a.events.bind_virq(dom_exc, VcpuId{0}).ok());
}

TEST_F(EventChannelsTest, PirqsAreBoundOnce) {
    Domain& a = make_domain(1);
    const EvtPort port = *a.events.bind_pirq(9);
    EXPECT_EQ(a.events.bind_pirq(9).error(), Errno::eexist);
    EXPECT_EQ(status(a, port), EvtchnStat::pirq);
    ASSERT_TRUE(a.events.close(port).ok());
    EXPECT_TRUE(a.events.bind_pirq(9).ok());
}

TEST_F(EventChannelsTest, PortsRunOutAtTheDomainsLimit) {
    DomainSettings small = settings();
    small.max_event_port = 100;
    Domain& a = make_domain(1, small);
    for (u32 i = 1; i <= 100; ++i) ASSERT_EQ(a.events.alloc_unbound(DomId{2})->raw, i);
    EXPECT_EQ(a.events.alloc_unbound(DomId{2}).error(), Errno::enospc);
    abi::EvtchnStatus out{};
    EXPECT_TRUE(a.events.status(EvtPort{100}, out).ok());
    EXPECT_EQ(a.events.status(EvtPort{101}, out).error(), Errno::einval);
    ASSERT_TRUE(a.events.close(EvtPort{50}).ok());
    EXPECT_EQ(a.events.alloc_unbound(DomId{2})->raw, 50u);
}

TEST_F(EventChannelsTest, TheTwoLevelAbiHasItsOwnLimit) {
    DomainSettings large = settings();
    large.max_event_port = 100'000;
    Domain& a = make_domain(1, large);
    for (u32 i = 1; i < 4096; ++i) ASSERT_EQ(a.events.alloc_unbound(DomId{2})->raw, i);
    EXPECT_EQ(a.events.alloc_unbound(DomId{2}).error(), Errno::enospc);
}

Vcpu* heard_by = nullptr;
EvtPort heard_on;
void hear(Vcpu& vcpu, EvtPort port) {
    heard_by = &vcpu;
    heard_on = port;
}

TEST_F(EventChannelsTest, TheHypervisorsOwnEndIsNotTheGuests) {
    Domain& a = make_domain(1, 2);
    Domain& b = make_domain(2);
    const EvtPort mine = *a.events.alloc_hypervisor(VcpuId{1}, b.id, hear);
    EXPECT_EQ(a.events.alloc_hypervisor(VcpuId{2}, b.id, hear).error(), Errno::enoent);
    const EvtPort theirs = *b.events.bind_interdomain(a, mine);
    take_events(b);

    ASSERT_TRUE(a.events.send_from_hypervisor(mine).ok());
    EXPECT_TRUE(pending(b, theirs));
    ASSERT_TRUE(b.events.send(theirs).ok());
    EXPECT_EQ(heard_by, &vcpu(a, 1));
    EXPECT_EQ(heard_on, mine);
    EXPECT_FALSE(pending(a, mine));

    abi::EvtchnStatus out{};
    EXPECT_EQ(a.events.status(mine, out).error(), Errno::eacces);
    EXPECT_EQ(a.events.send(mine).error(), Errno::einval);
    EXPECT_EQ(a.events.close(mine).error(), Errno::einval);
    EXPECT_EQ(a.events.bind_vcpu(mine, VcpuId{0}).error(), Errno::einval);
    EXPECT_EQ(b.events.send_from_hypervisor(theirs).error(), Errno::einval);
    EXPECT_EQ(b.events.close_hypervisor(theirs).error(), Errno::einval);
    EXPECT_EQ(a.events.reset(), Progress::done);
    EXPECT_TRUE(a.events.send_from_hypervisor(mine).ok()) << "a reset of the guest leaves it";
    EXPECT_TRUE(a.events.close_hypervisor(mine).ok());
    EXPECT_EQ(status(b, theirs), EvtchnStat::unbound);
}

TEST_F(EventChannelsTest, ResetIsPreemptible) {
    Domain& a = make_domain(1);
    for (u32 i = 0; i < 200; ++i) ASSERT_TRUE(a.events.alloc_unbound(DomId{2}).ok());
    unsigned parts = 0;
    for (Progress progress = Progress::more; progress == Progress::more; ++parts) {
        raise_softirq(Softirq::schedule);
        progress = a.events.reset();
    }
    this_cpu().softirqs.store(0);
    EXPECT_GT(parts, 100u);
    for (u32 i = 1; i <= 200; ++i) ASSERT_EQ(status(a, EvtPort{i}), EvtchnStat::closed);
}

TEST_F(EventChannelsTest, ADeadDomainLeavesItsPeersUnbound) {
    auto [a, b, port_a, port_b] = connect();
    kill(1);
    EXPECT_EQ(status(b, port_b), EvtchnStat::unbound);
    EXPECT_TRUE(b.events.send(port_b).ok());
    EXPECT_EQ(find_domain(DomId{1}).error(), Errno::esrch);
}

TEST_F(EventChannelsTest, ADyingDomainOpensNothing) {
    Domain& a = make_domain(1);
    DomainRef hold(a);
    kill(1);
    EXPECT_EQ(a.events.alloc_unbound(DomId{2}).error(), Errno::einval);
}

TEST_F(EventChannelsTest, SendersAndClosersRace) {
    // Threads are the CPUs. The assertion is the sanitizer's, and that both sides agree at the end.
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    std::atomic<bool> stop{false};
    std::atomic<u32> port_of_b{0};
    std::thread sender([&] {
        arch::host_become_cpu(CpuId{1});
        while (!stop) (void)b.events.send(EvtPort{port_of_b.load()}).ok();
    });
    std::thread second_closer([&] {
        arch::host_become_cpu(CpuId{2});
        while (!stop) (void)b.events.close(EvtPort{port_of_b.load()}).ok();
    });
    for (unsigned i = 0; i < 3000; ++i) {
        const EvtPort port = *a.events.alloc_unbound(b.id);
        const auto bound = b.events.bind_interdomain(a, port);
        ASSERT_TRUE(bound.ok());
        port_of_b = bound->raw;
        ASSERT_TRUE(a.events.close(port).ok());
        (void)b.events.close(*bound).ok();
    }
    stop = true;
    sender.join();
    second_closer.join();
    for (u32 i = 1; i < a.events.valid_ports(); ++i) EXPECT_EQ(status(a, EvtPort{i}), EvtchnStat::closed);
    for (u32 i = 1; i < b.events.valid_ports(); ++i) EXPECT_EQ(status(b, EvtPort{i}), EvtchnStat::closed);
}

// ---- The hypercall.

TEST_F(EventChannelsTest, HypercallsDoTheSame) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    const auto run = [](Vcpu& caller, EvtchnOp op, auto* argument) {
        return call(hypercall_event_channel_op, caller, static_cast<u64>(op), argument);
    };
    abi::EvtchnAllocUnbound alloc{.dom = abi::domid::self, .remote_dom = 2, .port = 0};
    ASSERT_EQ(run(vcpu(a), EvtchnOp::alloc_unbound, &alloc), 0);
    abi::EvtchnBindInterdomain bind{.remote_dom = 1, .remote_port = alloc.port, .local_port = 0};
    ASSERT_EQ(run(vcpu(b), EvtchnOp::bind_interdomain, &bind), 0);
    take_events(b);
    abi::EvtchnSend send{alloc.port};
    ASSERT_EQ(run(vcpu(a), EvtchnOp::send, &send), 0);
    EXPECT_TRUE(pending(b, EvtPort{bind.local_port}));
    abi::EvtchnStatus asked{.dom = abi::domid::self, .port = bind.local_port, .status = 0, .vcpu = 0, .u = {}};
    ASSERT_EQ(run(vcpu(b), EvtchnOp::status, &asked), 0);
    EXPECT_EQ(asked.u.interdomain.dom, 1);
    EXPECT_EQ(asked.u.interdomain.port, alloc.port);
    abi::EvtchnClose close{bind.local_port};
    ASSERT_EQ(run(vcpu(b), EvtchnOp::close, &close), 0);
    EXPECT_EQ(run(vcpu(b), EvtchnOp::close, &close), error(Errno::einval));
    abi::EvtchnReset reset{abi::domid::self};
    EXPECT_EQ(run(vcpu(a), EvtchnOp::reset, &reset), 0);
}

TEST_F(EventChannelsTest, HypercallsRefuseWhatIsNotTheCallers) {
    Domain& a = make_domain(1);
    make_domain(2);
    const auto run = [&](EvtchnOp op, auto argument) { return call(hypercall_event_channel_op, vcpu(a), static_cast<u64>(op), &argument); };
    EXPECT_EQ(run(EvtchnOp::alloc_unbound, abi::EvtchnAllocUnbound{2, 1, 0}), error(Errno::eperm));
    EXPECT_EQ(run(EvtchnOp::alloc_unbound, abi::EvtchnAllocUnbound{77, 1, 0}), error(Errno::esrch));
    EXPECT_EQ(run(EvtchnOp::bind_interdomain, abi::EvtchnBindInterdomain{77, 1, 0}), error(Errno::esrch));
    EXPECT_EQ(run(EvtchnOp::reset, abi::EvtchnReset{2}), error(Errno::eperm));
    EXPECT_EQ(run(EvtchnOp::bind_pirq, abi::EvtchnBindPirq{9, 0, 0}), error(Errno::eperm));
    EXPECT_EQ(run(EvtchnOp::set_priority, abi::EvtchnSetPriority{1, 3}), error(Errno::einval));
    EXPECT_EQ(run(EvtchnOp::expand_array, abi::EvtchnExpandArray{5}), error(Errno::eopnotsupp));
    abi::EvtchnSend send{1};
    EXPECT_EQ(call(hypercall_event_channel_op, vcpu(a), 15, &send), error(Errno::enosys));
    arch::host_become_vcpu(nullptr);
    HypercallArgs bad{{static_cast<u64>(EvtchnOp::send), 0x1000, 0, 0, 0}};
    EXPECT_EQ(to_register(hypercall_event_channel_op(vcpu(a), bad)), error(Errno::efault));
}

TEST_F(EventChannelsTest, AControllerActsForOthers) {
    DomainSettings privileged = settings();
    privileged.control = true;
    Domain& controller = make_domain(1, privileged);
    Domain& guest = make_domain(2);
    abi::EvtchnAllocUnbound alloc{.dom = 2, .remote_dom = abi::domid::self, .port = 0};
    ASSERT_EQ(call(hypercall_event_channel_op, vcpu(controller), static_cast<u64>(EvtchnOp::alloc_unbound), &alloc), 0);
    abi::EvtchnStatus out{};
    ASSERT_TRUE(guest.events.status(EvtPort{alloc.port}, out).ok());
    EXPECT_EQ(out.u.unbound.dom, 1) << "self is the caller";
}

}  // namespace
}  // namespace px
