// HYPERVISOR_sysctl: the toolstack's calls on the whole machine. [xen/public sysctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/sysctl.hpp"

#include "arch/domctl.hpp"
#include "arch/hypercalls.hpp"
#include "arch/time.hpp"
#include "hypervisor/console/console.hpp"
#include "hypervisor/console/input.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/domctl.hpp"
#include "hypervisor/hypercall/guest_bitmap.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {
namespace sysctl {
namespace {

using abi::SysctlCmd;

/// `op` is the guest's structure as read once; it is written back when the handler succeeds, and with enobufs.
using Handler = Result<Reply> (*)(Vcpu& caller, abi::Sysctl& op);

// ---- The log.

Result<Reply> read_console(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.readconsole;
    u64 position = request.incremental != 0 ? request.index : 0;
    // The index of the ABI has 32 bits: what it lacks is where the ring is now.
    if (request.incremental != 0) {
        const u64 head = console_ring_head();
        position |= head & ~u64{0xffff'ffff};
        if (position > head) position = position > 0xffff'ffff ? position - (u64{1} << 32) : 0;
    }
    u32 total = 0;
    while (total < request.count) {
        std::array<char, 256> chunk;
        const usize got = console_ring_read(&position, {chunk.data(), std::min<usize>(chunk.size(), request.count - total)});
        if (got == 0) break;
        TRY(GuestPtr<char>(request.buffer).at(total).write_many(chunk.data(), got));
        total += static_cast<u32>(got);
    }
    if (request.clear != 0) console_ring_clear();
    request.count = total;
    request.index = static_cast<u32>(position);
    return Reply{};
}

Result<Reply> debug_keys(Vcpu&, abi::Sysctl& op) {
    constexpr u32 most_keys = 256;
    for (u32 i = 0; i < std::min(op.u.debug_keys.nr_keys, most_keys); ++i) {
        run_debug_key(TRY(GuestPtr<char>(op.u.debug_keys.keys.address).at(i).read()));
    }
    return Reply{};
}

// ---- The machine.

Result<Reply> physinfo(Vcpu&, abi::Sysctl& op) {
    const MemoryTotals totals = memory_totals();
    abi::SysctlPhysinfo info{};
    info.nr_cpus = online_cpus();
    info.max_cpu_id = online_cpus() - 1;
    info.nr_nodes = nodes().count();
    info.capabilities = abi::physcap::gnttab_v1 | abi::physcap::gnttab_v2;
    info.total_pages = totals.total_frames;
    info.free_pages = totals.free_frames;
    info.outstanding_pages = outstanding_claims();
    info.max_mfn = arch::frame_count() - 1;
    arch::describe(info);
    op.u.physinfo = info;
    return Reply{};
}

Result<Reply> cpu_topology(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.cputopoinfo;
    const u32 room = request.cputopo.is_null() ? 0 : request.num_cpus;
    for (u32 cpu = 0; cpu < std::min(room, online_cpus()); ++cpu) {
        TRY(GuestPtr<abi::SysctlCputopo>(request.cputopo).at(cpu).write(arch::topology(CpuId{cpu})));
    }
    request.num_cpus = online_cpus();
    return Reply{};
}

/// As many nodes as there is room for; `num_nodes` then says how many there are.
Result<Reply> numa_info(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.numainfo;
    const u32 count = nodes().count(), room = std::min(request.num_nodes, count);
    for (u32 from = 0; from < room; ++from) {
        const u8 node = static_cast<u8>(from);
        const MemoryTotals totals = memory_totals(node);
        const abi::SysctlMeminfo memory{nodes().frames(node) << page_shift, totals.free_frames << page_shift};
        if (!request.meminfo.is_null()) TRY(GuestPtr<abi::SysctlMeminfo>(request.meminfo).at(from).write(memory));
        if (request.distance.is_null()) continue;
        for (u32 to = 0; to < room; ++to) {
            TRY(GuestPtr<u32>(request.distance).at(from * room + to).write(nodes().distance(node, static_cast<u8>(to))));
        }
    }
    request.num_nodes = count;
    return Reply{};
}

/// Devices aren't known by node, nor at all.
Result<Reply> pci_topology(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.pcitopoinfo;
    REQUIRE(!request.devs.is_null() && !request.nodes.is_null(), einval);
    constexpr u32 most_at_once = 4096;
    for (u32 i = 0; i < std::min(request.num_devs, most_at_once); ++i) TRY(GuestPtr<u32>(request.nodes).at(i).write(abi::invalid_dev));
    return Reply{};
}

Result<Reply> cpu_info(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.getcpuinfo;
    request.nr_cpus = std::min(request.max_cpus, online_cpus());
    for (u32 cpu = 0; cpu < request.nr_cpus; ++cpu) {
        const abi::SysctlCpuinfo info{static_cast<u64>(idle_time(CpuId{cpu}).raw)};
        TRY(GuestPtr<abi::SysctlCpuinfo>(request.info).at(cpu).write(info));
    }
    return Reply{};
}

Result<Reply> available_memory(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.availheap;
    const bool all = request.node < 0, there = all || static_cast<u32>(request.node) < nodes().count();
    const MemoryTotals totals = all ? memory_totals() : there ? memory_totals(static_cast<u8>(request.node)) : MemoryTotals{};
    request.avail_bytes = totals.free_frames << page_shift;
    return Reply{};
}

/// Offline pages aren't supported: none is, and none becomes so.
Result<Reply> page_offline(Vcpu&, abi::Sysctl& op) {
    const auto& request = op.u.page_offline;
    constexpr u32 most_pages = 65536;
    REQUIRE(request.start <= request.end && request.end - request.start < most_pages, einval);
    const auto command = abi::PageOfflineCmd{request.cmd};
    REQUIRE(command == abi::PageOfflineCmd::query, eopnotsupp);
    for (u64 mfn = request.start; mfn <= request.end; ++mfn) {
        const u32 status = has_frame(Mfn{mfn}) ? abi::page_offline::is_online : abi::page_offline::invalid;
        TRY(GuestPtr<u32>(request.status).at(mfn - request.start).write(status));
    }
    return Reply{};
}

Result<Reply> cpu_hotplug(Vcpu&, abi::Sysctl& op) {
    const auto& request = op.u.cpu_hotplug;
    REQUIRE(request.cpu < online_cpus(), einval);
    REQUIRE(abi::CpuHotplugOp{request.op} == abi::CpuHotplugOp::online, eopnotsupp);
    return Reply{};  // it is
}

// ---- Domains.

Result<Reply> domain_list(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.getdomaininfolist;
    u32 count = 0;
    DomId from{request.first_domain};
    while (count < request.max_domains) {
        const auto domain = first_domain_from(from);
        if (!domain) break;
        TRY(GuestPtr<abi::DomctlGetdomaininfo>(request.buffer).at(count).write(domctl::info_of(**domain)));
        from = (*domain)->id + 1;
        ++count;
    }
    request.num_domains = count;
    return Reply{};
}

// ---- Scheduler and pools.

Result<Reply> scheduler_id(Vcpu&, abi::Sysctl& op) {
    op.u.sched_id.sched_id = scheduler().abi_id();
    return Reply{};
}

/// The rate limit is what toolstacks of credit2 ask for; our policy bounds preemption by itself and keeps the number only.
constinit std::atomic<u32> ratelimit_us{1000};

Result<Reply> scheduler_op(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.scheduler_op;
    REQUIRE(request.sched_id == scheduler().abi_id(), einval);
    REQUIRE(request.cpupool_id == 0, esrch);
    auto& limit = request.u.sched_credit2.ratelimit_us;
    switch (abi::SysctlSchedOpCmd{request.cmd}) {
    case abi::SysctlSchedOpCmd::getinfo: limit = ratelimit_us.load(std::memory_order_relaxed); return Reply{};
    case abi::SysctlSchedOpCmd::putinfo:
        REQUIRE(limit == 0 || (limit >= abi::sched_ratelimit_min && limit <= abi::sched_ratelimit_max), einval);
        ratelimit_us.store(limit, std::memory_order_relaxed);
        return Reply{};
    }
    return Err{Errno::einval};
}

u32 domain_count() {
    u32 count = 0;
    for (auto domain = first_domain_from(DomId{0}); domain; domain = first_domain_from((*domain)->id + 1)) ++count;
    return count;
}

/// Pool 0 has every CPU and every domain; there is no other.
Result<Reply> cpupool_op(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.cpupool_op;
    switch (abi::CpupoolOp{request.op}) {
    case abi::CpupoolOp::info:
        REQUIRE(request.cpupool_id == 0, enoent);
        request.sched_id = scheduler().abi_id();
        request.n_dom = domain_count();
        TRY(write_cpu_mask(request.cpumap, scheduler().cpus()));
        return Reply{};
    case abi::CpupoolOp::freeinfo: TRY(write_cpu_mask(request.cpumap, CpuMask{})); return Reply{};
    case abi::CpupoolOp::destroy: return Err{request.cpupool_id == 0 ? Errno::ebusy : Errno::enoent};
    case abi::CpupoolOp::addcpu: return Err{request.cpupool_id == 0 ? Errno::ebusy : Errno::enoent};
    case abi::CpupoolOp::rmcpu: return Err{request.cpupool_id == 0 ? Errno::eopnotsupp : Errno::enoent};
    case abi::CpupoolOp::movedomain: REQUIRE(request.cpupool_id == 0, enoent); return Reply{};
    case abi::CpupoolOp::create: return Err{Errno::eopnotsupp};
    }
    return Err{Errno::enosys};
}

// ---- Not there.

Result<Reply> no_device(Vcpu&, abi::Sysctl&) { return Err{Errno::enodev}; }
Result<Reply> not_supported(Vcpu&, abi::Sysctl&) { return Err{Errno::eopnotsupp}; }
Result<Reply> not_built(Vcpu&, abi::Sysctl&) { return Err{Errno::enosys}; }

/// Tracing is off and can be asked about.
Result<Reply> trace_buffers(Vcpu&, abi::Sysctl& op) {
    auto& request = op.u.tbuf_op;
    switch (abi::TbufOp{request.cmd}) {
    case abi::TbufOp::get_info:
        request.evt_mask = 0;
        request.buffer_mfn = 0;
        request.size = 0;
        return Reply{};
    case abi::TbufOp::disable: return Reply{};
    case abi::TbufOp::set_cpu_mask:
    case abi::TbufOp::set_evt_mask:
    case abi::TbufOp::set_size:
    case abi::TbufOp::enable: return Err{Errno::eopnotsupp};
    }
    return Err{Errno::einval};
}

Handler handler_of(SysctlCmd command) {
    switch (command) {
    case SysctlCmd::readconsole: return read_console;
    case SysctlCmd::tbuf_op: return trace_buffers;
    case SysctlCmd::physinfo: return physinfo;
    case SysctlCmd::sched_id: return scheduler_id;
    case SysctlCmd::perfc_op: return not_built;
    case SysctlCmd::getdomaininfolist: return domain_list;
    case SysctlCmd::debug_keys: return debug_keys;
    case SysctlCmd::getcpuinfo: return cpu_info;
    case SysctlCmd::availheap: return available_memory;
    case SysctlCmd::get_pmstat: return no_device;
    case SysctlCmd::cpu_hotplug: return cpu_hotplug;
    case SysctlCmd::pm_op: return no_device;
    case SysctlCmd::page_offline_op: return page_offline;
    case SysctlCmd::lockprof_op: return not_built;
    case SysctlCmd::cputopoinfo: return cpu_topology;
    case SysctlCmd::numainfo: return numa_info;
    case SysctlCmd::cpupool_op: return cpupool_op;
    case SysctlCmd::scheduler_op: return scheduler_op;
    case SysctlCmd::coverage_op: return not_supported;
    case SysctlCmd::pcitopoinfo: return pci_topology;
    case SysctlCmd::livepatch_op: return not_built;
    default: return arch::sysctl;
    }
}

}  // namespace
}  // namespace sysctl

/// args: (argument)
Result<Reply> hypercall_sysctl(Vcpu& caller, HypercallArgs& args) {
    const auto pointer = guest_ptr<abi::Sysctl>(args[0]);
    abi::Sysctl op = TRY(pointer.read());
    REQUIRE(op.interface_version == abi::sysctl_interface_version, eacces);
    REQUIRE(caller.domain.settings.control, eperm);
    const auto result = sysctl::handler_of(abi::SysctlCmd{op.cmd})(caller, op);
    if (result || result.error() == Errno::enobufs) TRY(pointer.write(op));
    return result;
}

}  // namespace px
