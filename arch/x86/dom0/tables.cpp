// The hardware domain's ACPI tables.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/tables.hpp"

#include "hypervisor/base/static_vector.hpp"

namespace px::dom0 {

using namespace acpi;

namespace {
constexpr usize max_listed = 128;
constexpr u32 max_vcpus = 128;  // the virtual local APICs' limit
}  // namespace

bool passes_to_dom0(Signature signature) {
    // MADT: written anew. HPET: the hypervisor's clock. SRAT, SLIT, MPST, PMTT: real CPUs and nodes. DMAR, IVRS: the
    // hypervisor's IOMMUs. BGRT: a picture in memory that the firmware gave up.
    constexpr Signature hidden[] = {"APIC"_sig, "HPET"_sig, "SRAT"_sig, "SLIT"_sig, "MPST"_sig,
                                    "PMTT"_sig, "DMAR"_sig, "IVRS"_sig, "BGRT"_sig};
    return std::find(std::begin(hidden), std::end(hidden), signature) == std::end(hidden);
}

usize tables_size(const TablesSpec& spec) {
    constexpr usize per_table = 64;  // header, alignment
    const Topology& machine = spec.topology;
    return 3 * per_table + sizeof(u64) * (spec.tables.size() + 1) + sizeof(madt::LocalX2Apic) * spec.vcpus +
           sizeof(madt::IoApic) * machine.io_apics.size() + sizeof(madt::SourceOverride) * machine.overrides.size() +
           sizeof(madt::NmiSource) * machine.nmi_sources.size() + sizeof(madt::LocalNmi);
}

Result<Gpaddr> write_tables(TableWriter& writer, const TablesSpec& spec) {
    StaticVector<Cpu, max_vcpus> cpus;
    for (u32 i = 0; i < spec.vcpus; ++i) TRY(cpus.push_back({.apic_id = 2 * i, .uid = i, .enabled = true}));
    const Topology& machine = spec.topology;
    const LocalNmi nmi{};  // every vCPU's LINT1, as the local APIC's reset state has it
    const Gpaddr new_madt = TRY(write_madt(writer, {
                                                       .x2apic_cpus = true,
                                                       .cpus = cpus,
                                                       .io_apics = {machine.io_apics.begin(), machine.io_apics.end()},
                                                       .overrides = {machine.overrides.begin(), machine.overrides.end()},
                                                       .nmi_sources = {machine.nmi_sources.begin(), machine.nmi_sources.end()},
                                                       .local_nmis = {&nmi, 1},
                                                   }));
    StaticVector<u64, max_listed> listed;
    for (const ListedTable& table : spec.tables) {
        if (passes_to_dom0(table.signature)) TRY(listed.push_back(table.address));
    }
    TRY(listed.push_back(new_madt.raw));
    return write_rsdp(writer, TRY(write_xsdt(writer, listed)));
}

}  // namespace px::dom0
