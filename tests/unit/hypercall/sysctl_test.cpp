// sysctl.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/sysctl.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

using abi::SysctlCmd;

class Sysctl : public HypercallWorld {
protected:
    static abi::Sysctl request(SysctlCmd command) {
        abi::Sysctl op{};
        op.cmd = static_cast<u32>(command);
        op.interface_version = abi::sysctl_interface_version;
        return op;
    }
    template <class... Objects>
    i64 sysctl(Vcpu& caller, abi::Sysctl& op, Objects&... objects) {
        return invoke(hypercall_sysctl, caller, {{address(&op)}}, op, objects...);
    }
};

TEST_F(Sysctl, ChecksComeInOrder) {
    EXPECT_EQ(invoke(hypercall_sysctl, guest(), {{nowhere}}), error(Errno::efault));
    abi::Sysctl op = request(SysctlCmd::physinfo);
    EXPECT_EQ(sysctl(guest(), op), error(Errno::eperm));
    op.interface_version = 0x14;
    EXPECT_EQ(sysctl(control(), op), error(Errno::eacces));
    op = request(SysctlCmd{4711});
    EXPECT_EQ(sysctl(control(), op), error(Errno::enosys));
    op = request(SysctlCmd::coverage_op);
    EXPECT_EQ(sysctl(control(), op), error(Errno::eopnotsupp));
}

TEST_F(Sysctl, Machine) {
    abi::Sysctl op = request(SysctlCmd::physinfo);
    EXPECT_EQ(sysctl(control(), op), 0);
    EXPECT_EQ(op.u.physinfo.nr_cpus, online_cpus());
    EXPECT_EQ(op.u.physinfo.free_pages, memory_totals().free_frames);
    EXPECT_NE(op.u.physinfo.capabilities & abi::physcap::gnttab_v1, 0u);
    op = request(SysctlCmd::sched_id);
    EXPECT_EQ(sysctl(control(), op), 0);
    EXPECT_EQ(op.u.sched_id.sched_id, number(abi::SchedulerId::credit2));
    op = request(SysctlCmd::cputopoinfo);
    EXPECT_EQ(sysctl(control(), op), 0);
    EXPECT_EQ(op.u.cputopoinfo.num_cpus, online_cpus());
    abi::SysctlCputopo cpus[2]{};
    op.u.cputopoinfo = {2, {address(cpus)}};
    EXPECT_EQ(sysctl(control(), op, cpus), 0);
    EXPECT_EQ(cpus[1].core, 1u);
    EXPECT_EQ(op.u.cputopoinfo.num_cpus, online_cpus());
    abi::SysctlMeminfo memory[1];
    u32 distance[1];
    op = request(SysctlCmd::numainfo);
    op.u.numainfo = {1, {address(memory)}, {address(distance)}};
    EXPECT_EQ(sysctl(control(), op, memory, distance), 0);
    EXPECT_EQ(op.u.numainfo.num_nodes, 1u);
    EXPECT_EQ(distance[0], 10u);
    op = request(SysctlCmd::getcpuinfo);
    op.u.getcpuinfo = {8, {nowhere}, 0};
    EXPECT_EQ(sysctl(control(), op), error(Errno::efault));
}

TEST_F(Sysctl, NumaNodes) {
    ASSERT_TRUE(nodes().number(7).ok() && nodes().number(3).ok());
    nodes().set_distance(0, 1, 17);
    nodes().add_frames(1, 100);
    abi::Sysctl op = request(SysctlCmd::numainfo);
    EXPECT_EQ(sysctl(control(), op), 0);
    EXPECT_EQ(op.u.numainfo.num_nodes, 2u) << "nulls ask for the number";
    abi::SysctlMeminfo memory[3]{};
    std::array<u32, 9> distance;
    const auto ask = [&](u32 room) {
        distance.fill(~0u);
        op = request(SysctlCmd::numainfo);
        op.u.numainfo = {room, {address(memory)}, {address(distance.data())}};
        EXPECT_EQ(sysctl(control(), op, memory, distance), 0);
        EXPECT_EQ(op.u.numainfo.num_nodes, 2u);
    };
    ask(3);
    EXPECT_EQ((std::vector<u32>{distance.begin(), distance.begin() + 5}), (std::vector<u32>{10, 17, 20, 10, ~0u}));
    EXPECT_EQ(memory[1].memsize, 100 * page_size);
    EXPECT_EQ(memory[0].memfree, memory_totals(0).free_frames * page_size);
    ask(1);
    EXPECT_EQ((std::vector<u32>{distance.begin(), distance.begin() + 2}), (std::vector<u32>{10, ~0u}));
    op = request(SysctlCmd::availheap);
    const std::pair<i32, u64> available[] = {{-1, memory_totals().free_frames}, {0, memory_totals(0).free_frames}, {1, 0}, {2, 0}};
    for (const auto& [node, frames] : available) {
        op = request(SysctlCmd::availheap);
        op.u.availheap.node = node;
        EXPECT_EQ(sysctl(control(), op), 0);
        EXPECT_EQ(op.u.availheap.avail_bytes, frames * page_size) << node;
    }
    const u64 frames = nodes().frames(0);
    nodes() = {};
    nodes().add_frames(0, frames);
}

TEST_F(Sysctl, DomainList) {
    make_domain(9);
    std::array<abi::DomctlGetdomaininfo, 4> list{};
    abi::Sysctl op = request(SysctlCmd::getdomaininfolist);
    op.u.getdomaininfolist = {0, 4, {address(list.data())}, 0};
    EXPECT_EQ(sysctl(control(), op, list), 0);
    EXPECT_EQ(op.u.getdomaininfolist.num_domains, 3u);
    EXPECT_EQ(list[0].domain, 1);
    EXPECT_EQ(list[1].domain, 2);
    EXPECT_EQ(list[2].domain, 9);
    EXPECT_EQ(list[1].nr_online_vcpus, 2u);
    op.u.getdomaininfolist = {3, 1, {address(list.data())}, 0};
    EXPECT_EQ(sysctl(control(), op, list), 0);
    EXPECT_EQ(op.u.getdomaininfolist.num_domains, 1u);
    EXPECT_EQ(list[0].domain, 9);
    op.u.getdomaininfolist.buffer.address = nowhere;
    EXPECT_EQ(sysctl(control(), op), error(Errno::efault));
}

TEST_F(Sysctl, Log) {
    log_info("a line for the toolstack");
    std::array<char, 65536> text{};
    abi::Sysctl op = request(SysctlCmd::readconsole);
    op.u.readconsole.buffer.address = address(text.data());
    op.u.readconsole.count = text.size();
    op.u.readconsole.clear = 1;
    EXPECT_EQ(sysctl(control(), op, text), 0);
    EXPECT_NE(std::string_view(text.data(), op.u.readconsole.count).find("a line for the toolstack\n"), std::string_view::npos);
    // From where it stopped, only what is new comes.
    log_info("the next one");
    op.u.readconsole.incremental = 1;
    op.u.readconsole.clear = 0;
    op.u.readconsole.count = text.size();
    EXPECT_EQ(sysctl(control(), op, text), 0);
    const std::string_view fresh(text.data(), op.u.readconsole.count);
    EXPECT_NE(fresh.find("the next one\n"), std::string_view::npos);
    EXPECT_EQ(fresh.find("toolstack"), std::string_view::npos);
}

TEST_F(Sysctl, Pools) {
    u8 cpus[1] = {0};
    abi::Sysctl op = request(SysctlCmd::cpupool_op);
    op.u.cpupool_op.op = number(abi::CpupoolOp::info);
    op.u.cpupool_op.cpumap = {{address(cpus)}, 8};
    EXPECT_EQ(sysctl(control(), op, cpus), 0);
    EXPECT_EQ(op.u.cpupool_op.n_dom, 2u);
    EXPECT_EQ(cpus[0], (1u << online_cpus()) - 1);
    op.u.cpupool_op.cpupool_id = 1;
    EXPECT_EQ(sysctl(control(), op, cpus), error(Errno::enoent));
    op.u.cpupool_op.op = 77;
    EXPECT_EQ(sysctl(control(), op, cpus), error(Errno::enosys));
    op = request(SysctlCmd::scheduler_op);
    op.u.scheduler_op.sched_id = number(abi::SchedulerId::credit2);
    op.u.scheduler_op.cmd = number(abi::SysctlSchedOpCmd::putinfo);
    op.u.scheduler_op.u.sched_credit2.ratelimit_us = 50;
    EXPECT_EQ(sysctl(control(), op), error(Errno::einval));
    op.u.scheduler_op.u.sched_credit2.ratelimit_us = 500;
    EXPECT_EQ(sysctl(control(), op), 0);
    op.u.scheduler_op.cmd = number(abi::SysctlSchedOpCmd::getinfo);
    op.u.scheduler_op.u.sched_credit2.ratelimit_us = 0;
    EXPECT_EQ(sysctl(control(), op), 0);
    EXPECT_EQ(op.u.scheduler_op.u.sched_credit2.ratelimit_us, 500u);
}

}  // namespace
}  // namespace px
