// domctl.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/sched.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

using abi::DomctlCmd;

class Domctl : public HypercallWorld {
protected:
    static abi::Domctl request(DomctlCmd command, u16 domain) {
        abi::Domctl op{};
        op.cmd = static_cast<u32>(command);
        op.interface_version = abi::domctl_interface_version;
        op.domain = domain;
        return op;
    }
    template <class... Objects>
    i64 domctl(Vcpu& caller, abi::Domctl& op, Objects&... objects) {
        return invoke(hypercall_domctl, caller, {{address(&op)}}, op, objects...);
    }
    abi::Domctl creation(u32 vcpus = 1) {
        abi::Domctl op = request(DomctlCmd::createdomain, 0);
        auto& wanted = op.u.createdomain;
        wanted.flags = abi::cdf::hvm | abi::cdf::hap;
        wanted.max_vcpus = vcpus;
        wanted.max_evtchn_port = 1023;
        wanted.max_grant_frames = wanted.max_maptrack_frames = -1;
        wanted.grant_opts = 2;
        wanted.arch.emulation_flags = 1;
        wanted.handle[15] = 9;
        return op;
    }
};

TEST_F(Domctl, ChecksComeInOrder) {
    EXPECT_EQ(invoke(hypercall_domctl, guest(), {{nowhere}}), error(Errno::efault));
    abi::Domctl op = request(DomctlCmd::pausedomain, 2);
    op.interface_version = 0x14;
    EXPECT_EQ(domctl(guest(), op), error(Errno::eacces));
    op.interface_version = abi::domctl_interface_version;
    EXPECT_EQ(domctl(guest(), op), error(Errno::eperm));
    op.domain = 99;
    EXPECT_EQ(domctl(guest(), op), error(Errno::esrch));
    op = creation();
    EXPECT_EQ(domctl(guest(), op), error(Errno::eperm));
    op = request(DomctlCmd{4711}, 2);
    EXPECT_EQ(domctl(control(), op), error(Errno::eopnotsupp));
}

TEST_F(Domctl, LifeOfADomain) {
    abi::Domctl op = creation(2);
    ASSERT_EQ(domctl(control(), op), 0);
    const u16 id = op.domain;
    EXPECT_NE(id, 0);
    op = request(DomctlCmd::max_vcpus, id);
    op.u.max_vcpus.max = 3;
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
    op.u.max_vcpus.max = 2;
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(domctl(control(), op), 0);  // they are there
    op = request(DomctlCmd::max_mem, id);
    op.u.max_mem.max_memkb = 4096;
    EXPECT_EQ(domctl(control(), op), 0);

    op = request(DomctlCmd::getdomaininfo, id);
    EXPECT_EQ(domctl(control(), op), 0);
    const auto& info = op.u.getdomaininfo;
    EXPECT_EQ(info.max_pages, 1024u);
    EXPECT_EQ(info.max_vcpu_id, 1u);
    EXPECT_EQ(info.nr_online_vcpus, 0u);
    EXPECT_EQ(info.handle[15], 9);
    EXPECT_EQ(info.shared_info_frame, ~u64{0});
    EXPECT_EQ(info.flags & 0xffff, abi::dominf::hvm_guest | abi::dominf::hap | abi::dominf::paused);
    EXPECT_EQ(info.flags >> abi::dominf::shutdownshift & abi::dominf::shutdownmask, 255u);

    op = request(DomctlCmd::unpausedomain, id);
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
    op = request(DomctlCmd::pausedomain, id);
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(domctl(control(), op), 0);  // they count
    op = request(DomctlCmd::destroydomain, id);
    EXPECT_EQ(domctl(control(), op), 0);
    op = request(DomctlCmd::pausedomain, id);
    EXPECT_EQ(domctl(control(), op), error(Errno::esrch));
}

TEST_F(Domctl, CreationRefuses) {
    const auto refused = [&](auto change, Errno wanted) {
        abi::Domctl op = creation();
        change(op.u.createdomain);
        EXPECT_EQ(domctl(control(), op), error(wanted));
    };
    using Request = abi::DomctlCreatedomain;
    refused([](Request& r) { r.flags |= 1u << 20; }, Errno::einval);
    refused([](Request& r) { r.flags |= abi::cdf::iommu; }, Errno::einval);
    refused([](Request& r) { r.flags |= abi::cdf::nested_virt; }, Errno::einval);
    refused([](Request& r) { r.flags = abi::cdf::hap; }, Errno::einval);
    refused([](Request& r) { r.max_vcpus = 0; }, Errno::einval);
    refused([](Request& r) { r.max_vcpus = 100000; }, Errno::einval);
    refused([](Request& r) { r.grant_opts = 0; }, Errno::einval);
    refused([](Request& r) { r.grant_opts = 0x12; }, Errno::einval);
    refused([](Request& r) { r.max_grant_frames = 0; }, Errno::einval);
    refused([](Request& r) { r.max_grant_frames = 0x7fffffff; }, Errno::einval);
    refused([](Request& r) { r.cpupool_id = 1; }, Errno::einval);
    refused([](Request& r) { r.vmtrace_size = 4096; }, Errno::einval);
    refused([](Request& r) { r.arch.emulation_flags = 1u << 30; }, Errno::einval);
    abi::Domctl taken = creation();
    taken.domain = 2;
    EXPECT_EQ(domctl(control(), taken), error(Errno::eexist));
}

TEST_F(Domctl, DestructionIsPreemptible) {
    make_domain(8);
    abi::Domctl op = request(DomctlCmd::destroydomain, 8);
    preempt_ = true;
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_GT(rounds_, 60u);  // 64 pages, one at a time
    op = request(DomctlCmd::destroydomain, 1);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));  // itself
    op = request(DomctlCmd::pausedomain, 1);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
}

TEST_F(Domctl, InfoGoesOnToTheNextDomain) {
    make_domain(20);
    abi::Domctl op = request(DomctlCmd::getdomaininfo, 10);
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(op.domain, 20);
    EXPECT_EQ(op.u.getdomaininfo.tot_pages, 64u);
    op = request(DomctlCmd::getdomaininfo, 21);
    EXPECT_EQ(domctl(control(), op), error(Errno::esrch));
}

TEST_F(Domctl, VcpuAffinityAndInfo) {
    u8 hard[2] = {0b0110, 0}, soft[2] = {0b0100, 0xff};
    abi::Domctl op = request(DomctlCmd::setvcpuaffinity, 2);
    op.u.vcpuaffinity = {1, abi::vcpuaffinity::hard | abi::vcpuaffinity::soft, {{address(hard)}, 16}, {{address(soft)}, 16}};
    EXPECT_EQ(domctl(control(), op, hard, soft), 0);
    EXPECT_EQ(soft[0], 0b0100);
    EXPECT_EQ(soft[1], 0);  // effective: there are four CPUs
    op.cmd = static_cast<u32>(DomctlCmd::getvcpuaffinity);
    hard[0] = 0;
    EXPECT_EQ(domctl(control(), op, hard, soft), 0);
    EXPECT_EQ(hard[0], 0b0110);
    op.cmd = static_cast<u32>(DomctlCmd::setvcpuaffinity);
    hard[0] = 0;  // no CPU at all
    EXPECT_EQ(domctl(control(), op, hard, soft), error(Errno::einval));
    op.u.vcpuaffinity.flags = 0;
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
    op.u.vcpuaffinity = {1, abi::vcpuaffinity::hard, {{nowhere}, 16}, {}};
    EXPECT_EQ(domctl(control(), op), error(Errno::efault));
    op.u.vcpuaffinity.vcpu = 2;
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
    op = request(DomctlCmd::getvcpuinfo, 2);
    op.u.getvcpuinfo.vcpu = 1;
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(op.u.getvcpuinfo.online, 1);
    EXPECT_EQ(op.u.getvcpuinfo.running, 0);
    op.u.getvcpuinfo.vcpu = 7;
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
}

TEST_F(Domctl, NodesFollowTheVcpusUntilTheyAreNamed) {
    ASSERT_TRUE(nodes().number(0).ok() && nodes().number(1).ok());
    per_cpu(CpuId{2})->node = per_cpu(CpuId{3})->node = 1;
    u8 map[9]{};
    const auto known = [&](u32 bits) {
        abi::Domctl op = request(DomctlCmd::getnodeaffinity, 2);
        std::ranges::fill(map, 0xee);
        op.u.nodeaffinity.nodemap = {{address(map)}, bits};
        EXPECT_EQ(domctl(control(), op, map), 0);
        return map[0];
    };
    const auto set_nodes = [&](u8 wanted) {
        abi::Domctl op = request(DomctlCmd::setnodeaffinity, 2);
        map[0] = wanted;
        op.u.nodeaffinity.nodemap = {{address(map)}, 8};
        return domctl(control(), op, map);
    };
    const auto run_on = [&](u8 cpus) {
        abi::Domctl op = request(DomctlCmd::setvcpuaffinity, 2);
        for (u32 vcpu = 0; vcpu < 2; ++vcpu) {
            u8 hard[1] = {cpus};
            op.u.vcpuaffinity = {vcpu, abi::vcpuaffinity::hard, {{address(hard)}, 8}, {}};
            EXPECT_EQ(domctl(control(), op, hard), 0);
        }
    };
    EXPECT_EQ(known(72), 0b11);
    EXPECT_EQ(map[8], 0) << "room behind the last node";
    run_on(0b1100);
    EXPECT_EQ(known(8), 0b10);
    EXPECT_EQ(set_nodes(0b01), 0);
    run_on(0b1000);
    EXPECT_EQ(known(8), 0b01) << "named by the toolstack";
    EXPECT_EQ(set_nodes(0b100), error(Errno::einval)) << "no such node";
    EXPECT_EQ(set_nodes(0), error(Errno::einval));
    EXPECT_EQ(known(8), 0b01);
    EXPECT_EQ(set_nodes(0xff), 0);
    EXPECT_EQ(known(8), 0b10) << "follows again";
    abi::Domctl op = request(DomctlCmd::setnodeaffinity, 2);
    op.u.nodeaffinity.nodemap = {{nowhere}, 8};
    EXPECT_EQ(domctl(control(), op), error(Errno::efault));
    per_cpu(CpuId{2})->node = per_cpu(CpuId{3})->node = 0;
    const u64 frames = nodes().frames(0);
    nodes() = {};
    nodes().add_frames(0, frames);
}

TEST_F(Domctl, SchedulerSpeaksCredit2) {
    abi::Domctl op = request(DomctlCmd::scheduler_op, 2);
    op.u.scheduler_op.sched_id = number(abi::SchedulerId::credit2);
    op.u.scheduler_op.cmd = number(abi::DomctlSchedOpCmd::getinfo);
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(op.u.scheduler_op.u.credit2.weight, 256);
    op.u.scheduler_op.cmd = number(abi::DomctlSchedOpCmd::putinfo);
    op.u.scheduler_op.u.credit2 = {512, 50};
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(guest_domain().group.parameters(), (sched::Parameters{512, 50}));
    op.u.scheduler_op.u.credit2 = {0, 0};  // the weight stays
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(guest_domain().group.parameters(), (sched::Parameters{512, 0}));
    op.u.scheduler_op.cmd = number(abi::DomctlSchedOpCmd::putvcpuinfo);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
    op.u.scheduler_op.sched_id = number(abi::SchedulerId::credit);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
}

TEST_F(Domctl, SmallOnes) {
    abi::Domctl op = request(DomctlCmd::set_target, 2);
    make_domain(30);
    op.u.set_target.target = 30;
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));  // once
    EXPECT_TRUE(may_control(guest_domain(), **find_domain(DomId{30})));
    op = request(DomctlCmd::set_virq_handler, 2);
    op.u.set_virq_handler.virq = number(abi::Virq::timer);
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));  // not global
    op.u.set_virq_handler.virq = number(abi::Virq::con_ring);
    EXPECT_EQ(domctl(control(), op), 0);  // given back at the domain's end
    op = request(DomctlCmd::ioport_permission, 2);
    op.u.ioport_permission = {0x3f8, 8, 1};
    EXPECT_EQ(domctl(control(), op), error(Errno::eopnotsupp));
    op.u.ioport_permission = {0x3f8, 8, 0};
    EXPECT_EQ(domctl(control(), op), 0);
    op.u.ioport_permission = {0xfff8, 9, 0};
    EXPECT_EQ(domctl(control(), op), error(Errno::einval));
    u64 frames[2] = {5, 5000};
    op = request(DomctlCmd::getpageframeinfo3, 2);
    op.u.getpageframeinfo3 = {2, {address(frames)}};
    EXPECT_EQ(domctl(control(), op, frames), 0);
    EXPECT_THAT(frames, ::testing::ElementsAre(u64{abi::pfinfo::notab}, u64{abi::pfinfo::xtab}));
    op.u.getpageframeinfo3.num = 1025;
    EXPECT_EQ(domctl(control(), op, frames), error(Errno::e2big));
}

TEST_F(Domctl, ResumeAfterSuspend) {
    guest_domain().shutdown(number(abi::ShutdownReason::suspend));
    abi::Domctl op = request(DomctlCmd::getdomaininfo, 2);
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_NE(op.u.getdomaininfo.flags & abi::dominf::shutdown, 0u);
    EXPECT_EQ(op.u.getdomaininfo.flags >> abi::dominf::shutdownshift & 255, number(abi::ShutdownReason::suspend));
    op = request(DomctlCmd::resumedomain, 2);
    EXPECT_EQ(domctl(control(), op), 0);
    EXPECT_FALSE(guest_domain().is_shut_down());
}

}  // namespace
}  // namespace px
