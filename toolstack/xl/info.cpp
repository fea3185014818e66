// xl info: the machine and its hypervisor.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include "toolstack/control/machine.hpp"
#include "toolstack/xl/format.hpp"

namespace px::xl {

namespace {

constexpr u64 pages_per_mib = (1 << 20) / page_size;

using Facts = std::vector<std::pair<const char*, std::string>>;

std::string virtualization(u32 capabilities) {
    const std::pair<u32, const char*> names[] = {
        {abi::physcap::pv, "pv"},
        {abi::physcap::hvm, "hvm"},
        {abi::physcap::directio, "hvm_directio"},
        {abi::physcap::hap, "hap"},
        {abi::physcap::shadow, "shadow"},
        {abi::physcap::iommu_hap_pt_share, "iommu_hap_pt_share"},
        {abi::physcap::vmtrace, "vmtrace"},
        {abi::physcap::gnttab_v1, "gnttab-v1"},
        {abi::physcap::gnttab_v2, "gnttab-v2"},
    };
    std::string text;
    for (auto [bit, name] : names) {
        if (capabilities & bit) text += (text.empty() ? "" : " ") + std::string(name);
    }
    return text;
}

std::string cpu_words(const abi::SysctlPhysinfo& machine) {
    std::string text;
    for (u32 word : machine.hw_cap) text += (text.empty() ? "" : ":") + format("%08x", word);
    return text;
}

Facts facts_of_kernel() {
    utsname names{};
    uname(&names);
    return {{"host", names.nodename}, {"release", names.release}, {"version", names.version}, {"machine", names.machine}};
}

Facts facts_of_machine(const abi::SysctlPhysinfo& machine) {
    const auto number = [](u64 value) { return std::to_string(value); };
    return {
        {"nr_cpus", number(machine.nr_cpus)},
        {"max_cpu_id", number(machine.max_cpu_id)},
        {"nr_nodes", number(machine.nr_nodes)},
        {"cores_per_socket", number(machine.cores_per_socket)},
        {"threads_per_core", number(machine.threads_per_core)},
        {"cpu_mhz", format("%u.%03u", machine.cpu_khz / 1000, machine.cpu_khz % 1000)},
        {"hw_caps", cpu_words(machine)},
        {"virt_caps", virtualization(machine.capabilities)},
        {"total_memory", number(machine.total_pages / pages_per_mib)},
        {"free_memory", number((machine.free_pages - machine.outstanding_pages) / pages_per_mib)},
        {"sharing_freed_memory", "0"},
        {"sharing_used_memory", "0"},
        {"outstanding_claims", number(machine.outstanding_pages / pages_per_mib)},
        {"free_cpus", "0"},
    };
}

Facts facts_of_hypervisor(const control::Version& version, u32 scheduler) {
    return {
        {"xen_major", std::to_string(version.major)},
        {"xen_minor", std::to_string(version.minor)},
        {"xen_extra", version.extra},
        {"xen_version", format("%u.%u%s", version.major, version.minor, version.extra.c_str())},
        {"xen_caps", version.capabilities},
        {"xen_scheduler", control::scheduler_name(scheduler)},
        {"xen_pagesize", std::to_string(version.page_size)},
        {"platform_params", format("virt_start=0x%llx", static_cast<unsigned long long>(version.virtual_start))},
        {"xen_changeset", version.changeset},
        {"xen_commandline", version.command_line},
        {"cc_compiler", version.compiler},
        {"cc_compile_by", version.compiled_by},
        {"cc_compile_domain", version.compile_domain},
        {"cc_compile_date", version.compile_date},
        {"build_id", version.build_id},
        {"xend_config_format", "4"},
    };
}

constexpr Option numa_option{'n', "numa", "", "also the topology of CPUs and memory: sockets, cores, NUMA nodes"};

struct Topology {
    std::vector<abi::SysctlCputopo> cpus;
    std::vector<control::NumaNode> nodes;
};

void print_topology(const Topology& topology) {
    std::printf("cpu_topology           :\ncpu:    core    socket     node\n");
    for (usize cpu = 0; cpu < topology.cpus.size(); ++cpu) {
        const auto& [core, socket, node] = topology.cpus[cpu];
        if (core != abi::invalid_core_id) std::printf("%3zu:    %4u     %4u     %4u\n", cpu, core, socket, node);
    }
    std::printf("device topology        :\ndevice           node\nNo device topology data available\n");
    std::printf("numa_info              :\nnode:    memsize    memfree    distances\n");
    for (usize number = 0; number < topology.nodes.size(); ++number) {
        const auto& [memory, free, distances] = topology.nodes[number];
        std::string far;
        for (u32 distance : distances) far += (far.empty() ? "" : ",") + std::to_string(distance);
        std::printf("%4zu:    %6llu     %6llu      %s\n", number, static_cast<unsigned long long>(memory >> 20),
                    static_cast<unsigned long long>(free >> 20), far.c_str());
    }
}

Json to_json(const Topology& topology) {
    Json all;
    for (const auto& [core, socket, node] : topology.cpus) all["cpus"].push_back({{"core", core}, {"socket", socket}, {"node", node}});
    for (const auto& [memory, free, distances] : topology.nodes) {
        all["nodes"].push_back({{"memory", memory}, {"free", free}, {"distances", distances}});
    }
    return all;
}

Outcome<int> run(const Arguments& arguments) {
    auto privcmd = TRY(call::Privcmd::open());
    Facts facts = facts_of_kernel();
    const auto machine = TRY(control::physical_info(privcmd));
    for (auto& fact : facts_of_machine(machine)) facts.push_back(std::move(fact));
    const u32 scheduler = TRY(control::scheduler_id(privcmd));
    for (auto& fact : facts_of_hypervisor(TRY(control::version(privcmd)), scheduler)) facts.push_back(std::move(fact));
    std::optional<Topology> topology;
    if (arguments.has(numa_option.letter)) topology = {TRY(control::cpu_topology(privcmd)), TRY(control::numa_nodes(privcmd))};
    if (arguments.has(json_option.letter)) {
        Json all;
        for (const auto& [key, value] : facts) all[key] = value;
        if (topology) all["topology"] = to_json(*topology);
        print(all);
        return exit_success;
    }
    for (const auto& [key, value] : facts) std::printf("%-23s: %s\n", key, value.c_str());
    if (topology) print_topology(*topology);
    return exit_success;
}

constexpr Option options[] = {numa_option, json_option};

}  // namespace

const Command info_command{"info", "", "Shows the machine and the hypervisor", options, 0, 0, run};

}  // namespace px::xl
