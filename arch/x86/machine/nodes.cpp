// NUMA nodes of the machine. [acpi/6.4 5.2.16, 5.2.17]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/nodes.hpp"

#include <algorithm>

#include "arch/hypercalls.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "drivers/acpi/platform_tables.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px::arch {
namespace {

/// Memory that may be plugged in one day has a node as well; it holds no frame.
Result<> describe(const acpi::Affinity& affinity) {
    for (const acpi::MemoryAffinity& range : affinity.memory) {
        if (range.non_volatile) continue;
        const u64 first = align_up<u64>(range.base.raw, page_size) >> page_shift, end = (range.base.raw + range.length) >> page_shift;
        if (first < end) TRY(nodes().add_memory(Mfn{first}, end - first, range.proximity));
    }
    for (const acpi::CpuAffinity& cpu : affinity.cpus) TRY(nodes().number(cpu.proximity));
    return {};
}

void describe(const acpi::Distances& distances) {
    for (u8 from = 0; from < nodes().count(); ++from) {
        for (u8 to = 0; to < nodes().count(); ++to) {
            const u32 row = nodes().proximity(from), column = nodes().proximity(to);
            if (row < distances.count() && column < distances.count()) nodes().set_distance(from, to, distances.between(row, column));
        }
    }
}

void give_ram() {
    for (const Nodes::Range& range : nodes().ranges()) {
        const u64 first = range.first.raw, end = std::min(first + range.count, frame_count());
        if (first < end) nodes().add_frames(range.node, set_node(range.first, end - first, range.node));
    }
    for (u8 node = 0; nodes().count() > 1 && node < nodes().count(); ++node) {
        log_info("NUMA node {}: {} MiB of RAM, {} MiB free", node, nodes().frames(node) >> 8, memory_totals(node).free_frames >> 8);
    }
}

}  // namespace

void find_nodes(bool several) {
    const AcpiTables& tables = acpi_tables();
    if (several && tables.affinity.memory.size() != 0) {
        const auto described = describe(tables.affinity);
        if (described) {
            if (tables.distances) describe(*tables.distances);
            return give_ram();
        }
        nodes() = {};
        log_warning("ACPI table SRAT isn't used: {}",
                    described.error() == Errno::eexist ? "ranges of two nodes overlap" : "too many nodes or ranges");
    }
    nodes().add_frames(0, memory_layout().ram_frames);
}

u8 node_of_apic(u32 apic_id) {
    if (nodes().count() == 1) return 0;
    for (const acpi::CpuAffinity& cpu : acpi_tables().affinity.cpus) {
        if (cpu.apic_id == apic_id) return nodes().number(cpu.proximity).value_or(0);
    }
    return 0;
}

}  // namespace px::arch
