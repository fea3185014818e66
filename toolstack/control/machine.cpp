// The machine and its hypervisor.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/machine.hpp"

#include <algorithm>

#include "toolstack/control/request.hpp"

namespace px::control {

using abi::SysctlCmd;
using abi::XenVersionOp;
using call::Outcome;
using call::Privcmd;

namespace {

constexpr usize log_chunk = 64 * 1024;
constexpr std::string_view asking_version = "can't ask the hypervisor for its version";

std::string text_of(const char* bytes, usize size) { return {bytes, strnlen(bytes, size)}; }

template <class Text>
Outcome<std::string> text_of(Privcmd& privcmd, XenVersionOp operation) {
    struct {
        Text text;
    } answer{};
    TRY(request(privcmd, abi::hypercall::xen_version, operation, answer, asking_version));
    return text_of(answer.text, sizeof answer.text);
}

Outcome<u64> number_of(Privcmd& privcmd, XenVersionOp operation) {
    const u64 arguments[] = {static_cast<u64>(operation), 0};
    return privcmd.hypercall(abi::hypercall::xen_version, arguments, asking_version);
}

/// Hexadecimal; empty when the hypervisor was linked without one.
std::string build_id(Privcmd& privcmd) {
    struct {
        u32 length;
        u8 bytes[64];
    } answer{sizeof answer.bytes, {}};
    const auto size = request(privcmd, abi::hypercall::xen_version, XenVersionOp::build_id, answer, asking_version);
    std::string text;
    for (u64 i = 0; size.ok() && i < std::min<u64>(*size, sizeof answer.bytes); ++i) {
        constexpr char digits[] = "0123456789abcdef";
        text += {digits[answer.bytes[i] >> 4], digits[answer.bytes[i] & 15]};
    }
    return text;
}

Outcome<abi::Sysctl> credit2_call(Privcmd& privcmd, abi::SysctlSchedOpCmd command, u32 microseconds) {
    abi::Sysctl request = sysctl_of(SysctlCmd::scheduler_op);
    request.u.scheduler_op.sched_id = static_cast<u32>(abi::SchedulerId::credit2);
    request.u.scheduler_op.cmd = static_cast<u32>(command);
    request.u.scheduler_op.u.sched_credit2.ratelimit_us = microseconds;
    TRY(privcmd.sysctl(request, "the scheduler refuses"));
    return request;
}

}  // namespace

Outcome<abi::SysctlPhysinfo> physical_info(Privcmd& privcmd) {
    abi::Sysctl request = sysctl_of(SysctlCmd::physinfo);
    TRY(privcmd.sysctl(request, "can't ask the hypervisor about the machine"));
    return request.u.physinfo;
}

Outcome<u32> scheduler_id(Privcmd& privcmd) {
    abi::Sysctl request = sysctl_of(SysctlCmd::sched_id);
    TRY(privcmd.sysctl(request, "can't ask the hypervisor for its scheduler"));
    return request.u.sched_id.sched_id;
}

const char* scheduler_name(u32 id) {
    switch (abi::SchedulerId{id}) {
    case abi::SchedulerId::credit: return "credit";
    case abi::SchedulerId::credit2: return "credit2";
    case abi::SchedulerId::arinc653: return "arinc653";
    case abi::SchedulerId::rtds: return "rtds";
    case abi::SchedulerId::null: return "null";
    default: return "unknown";
    }
}

Outcome<std::optional<CpuPool>> next_cpu_pool(Privcmd& privcmd, u32 first) {
    const u32 cpus = TRY(physical_info(privcmd)).max_cpu_id + 1;
    auto bits = TRY(privcmd.buffer(cpus / 8 + 1));
    abi::Sysctl request = sysctl_of(SysctlCmd::cpupool_op);
    auto& body = request.u.cpupool_op;
    body.op = static_cast<u32>(abi::CpupoolOp::info);
    body.cpupool_id = first;
    body.cpumap = {bits.handle<u8>(), cpus};
    auto done = privcmd.sysctl(request, "can't ask for the CPU pools");
    if (!done.ok() && (done.error().code == ENOENT || done.error().code == ESRCH)) return std::optional<CpuPool>{};
    TRY(std::move(done));
    CpuPool pool{body.cpupool_id, body.sched_id, body.n_dom, std::vector<bool>(cpus)};
    for (u32 cpu = 0; cpu < cpus; ++cpu) pool.cpus[cpu] = bits.as<u8>()[cpu / 8] >> (cpu % 8) & 1;
    return std::optional(std::move(pool));
}

Outcome<Version> version(Privcmd& privcmd) {
    Version version;
    const u64 number = TRY(number_of(privcmd, XenVersionOp::version));
    version.major = static_cast<unsigned>(number >> 16);
    version.minor = static_cast<unsigned>(number & 0xffff);
    version.extra = TRY(text_of<abi::Extraversion>(privcmd, XenVersionOp::extraversion));
    version.capabilities = TRY(text_of<abi::CapabilitiesInfo>(privcmd, XenVersionOp::capabilities));
    version.changeset = TRY(text_of<abi::ChangesetInfo>(privcmd, XenVersionOp::changeset));
    version.command_line = TRY(text_of<abi::Commandline>(privcmd, XenVersionOp::commandline));
    version.page_size = TRY(number_of(privcmd, XenVersionOp::pagesize));
    abi::PlatformParameters platform{};
    TRY(request(privcmd, abi::hypercall::xen_version, XenVersionOp::platform_parameters, platform, asking_version));
    version.virtual_start = platform.virt_start;
    abi::CompileInfo compile{};
    TRY(request(privcmd, abi::hypercall::xen_version, XenVersionOp::compile_info, compile, asking_version));
    version.compiler = text_of(compile.compiler, sizeof compile.compiler);
    version.compiled_by = text_of(compile.compile_by, sizeof compile.compile_by);
    version.compile_domain = text_of(compile.compile_domain, sizeof compile.compile_domain);
    version.compile_date = text_of(compile.compile_date, sizeof compile.compile_date);
    version.build_id = build_id(privcmd);
    return version;
}

Outcome<std::string> read_log(Privcmd& privcmd, bool clear) {
    auto chunk = TRY(privcmd.buffer(log_chunk));
    std::string log;
    abi::Sysctl request = sysctl_of(SysctlCmd::readconsole);
    request.u.readconsole.incremental = 1;
    for (;;) {
        request.u.readconsole.buffer = chunk.handle<char>();
        request.u.readconsole.count = log_chunk;
        TRY(privcmd.sysctl(request, "can't read the hypervisor's log"));
        const u32 count = request.u.readconsole.count;
        log.append(chunk.as<const char>(), count);
        if (count < log_chunk) break;
    }
    if (clear) {
        request = sysctl_of(SysctlCmd::readconsole);
        request.u.readconsole.clear = 1;
        request.u.readconsole.buffer = chunk.handle<char>();
        request.u.readconsole.count = log_chunk;
        TRY(privcmd.sysctl(request, "can't clear the hypervisor's log"));
    }
    return log;
}

Outcome<> send_debug_keys(Privcmd& privcmd, std::string_view keys) {
    auto memory = TRY(privcmd.buffer(keys.size()));
    std::ranges::copy(keys, memory.as<char>());
    abi::Sysctl request = sysctl_of(SysctlCmd::debug_keys);
    request.u.debug_keys = {memory.handle<const char>(), static_cast<u32>(keys.size())};
    return privcmd.sysctl(request, "can't send debug keys");
}

Outcome<std::vector<abi::SysctlCputopo>> cpu_topology(Privcmd& privcmd) {
    const abi::SysctlPhysinfo machine = TRY(physical_info(privcmd));
    auto table = TRY(privcmd.buffer((machine.max_cpu_id + 1) * sizeof(abi::SysctlCputopo)));
    abi::Sysctl request = sysctl_of(SysctlCmd::cputopoinfo);
    request.u.cputopoinfo = {machine.max_cpu_id + 1, table.handle<abi::SysctlCputopo>()};
    TRY(privcmd.sysctl(request, "can't ask for the topology of the CPUs"));
    const auto* const first = table.as<abi::SysctlCputopo>();
    return std::vector<abi::SysctlCputopo>(first, first + std::min(request.u.cputopoinfo.num_cpus, machine.max_cpu_id + 1));
}

Outcome<std::vector<u32>> nodes_of_cpus(Privcmd& privcmd) {
    std::vector<u32> nodes;
    for (const abi::SysctlCputopo& cpu : TRY(cpu_topology(privcmd))) nodes.push_back(cpu.node);
    return nodes;
}

Outcome<std::vector<NumaNode>> numa_nodes(Privcmd& privcmd) {
    constexpr const char* what = "can't ask for the NUMA nodes";
    abi::Sysctl request = sysctl_of(SysctlCmd::numainfo);
    TRY(privcmd.sysctl(request, what));
    const u32 count = request.u.numainfo.num_nodes;
    auto memory = TRY(privcmd.buffer(count * sizeof(abi::SysctlMeminfo)));
    auto distances = TRY(privcmd.buffer(u64{count} * count * sizeof(u32)));
    request = sysctl_of(SysctlCmd::numainfo);
    request.u.numainfo = {count, memory.handle<abi::SysctlMeminfo>(), distances.handle<u32>()};
    TRY(privcmd.sysctl(request, what));
    std::vector<NumaNode> nodes;
    for (u32 node = 0; node < std::min(count, request.u.numainfo.num_nodes); ++node) {
        const auto& mine = memory.as<abi::SysctlMeminfo>()[node];
        const u32* const row = distances.as<u32>() + u64{node} * count;
        nodes.push_back({mine.memsize, mine.memfree, {row, row + count}});
    }
    return nodes;
}

Outcome<u32> credit2_ratelimit(Privcmd& privcmd) {
    return TRY(credit2_call(privcmd, abi::SysctlSchedOpCmd::getinfo, 0)).u.scheduler_op.u.sched_credit2.ratelimit_us;
}

Outcome<> set_credit2_ratelimit(Privcmd& privcmd, u32 microseconds) {
    TRY(credit2_call(privcmd, abi::SysctlSchedOpCmd::putinfo, microseconds));
    return {};
}

}  // namespace px::control
