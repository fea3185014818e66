// MADT parser [acpi/6.4 5.2.12].
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/madt.hpp"

#include <array>

namespace px::acpi {
namespace {

constexpr u32 no_xapic_id = 0xff;
constexpr u8 all_processors = 0xff;

/// Finds APIC ids listed before. Ids are sparse up to 32 bits, so a bitmap serves the dense ones only.
class SeenIds {
public:
    bool insert(const Topology& topology, u32 id) {
        if (id < bits) {
            u64& word = words_[id / 64];
            const u64 bit = u64{1} << (id % 64);
            const bool fresh = (word & bit) == 0;
            word |= bit;
            return fresh;
        }
        return std::none_of(topology.cpus.begin(), topology.cpus.end(), [id](const Cpu& cpu) { return cpu.apic_id == id; });
    }

private:
    static constexpr u32 bits = 4096;
    std::array<u64, bits / 64> words_{};
};

class Parser {
public:
    Parser(const Table& table, Topology& topology) : table_(table), topology_(topology) {}

    TableResult<> entry(u8 type, usize offset) {
        switch (static_cast<madt::Type>(type)) {
        case madt::Type::local_apic: return local_apic(TRY(table_.entry<madt::LocalApic>(offset)));
        case madt::Type::local_x2apic: return local_x2apic(TRY(table_.entry<madt::LocalX2Apic>(offset)));
        case madt::Type::io_apic: return io_apic(TRY(table_.entry<madt::IoApic>(offset)), offset);
        case madt::Type::source_override: return source_override(TRY(table_.entry<madt::SourceOverride>(offset)), offset);
        case madt::Type::nmi_source: return nmi_source(TRY(table_.entry<madt::NmiSource>(offset)), offset);
        case madt::Type::local_nmi: return local_nmi(TRY(table_.entry<madt::LocalNmi>(offset)), offset);
        case madt::Type::local_x2apic_nmi: return x2apic_nmi(TRY(table_.entry<madt::LocalX2ApicNmi>(offset)), offset);
        case madt::Type::local_apic_address:
            topology_.local_apic = Paddr{TRY(table_.entry<madt::LocalApicAddress>(offset)).address};
            return {};
        }
        return {};
    }

private:
    void add_cpu(u32 apic_id, u32 uid, madt::CpuFlags flags) {
        if (!flags.enabled && !flags.online_capable) return;
        if (!seen_.insert(topology_, apic_id)) return;
        const bool online_capable = !flags.enabled && flags.online_capable;
        if (!topology_.cpus.push({apic_id, uid, flags.enabled != 0, online_capable})) ++topology_.cpus_dropped;
    }

    TableResult<> local_apic(const madt::LocalApic& found) {
        if (found.apic_id != no_xapic_id) add_cpu(found.apic_id, found.processor_uid, found.flags);
        return {};
    }

    TableResult<> local_x2apic(const madt::LocalX2Apic& found) {
        if (found.x2apic_id != ~u32{0}) add_cpu(found.x2apic_id, found.processor_uid, found.flags);
        return {};
    }

    TableResult<> keep(bool kept, usize offset) {
        if (!kept) return Err{table_.error(Defect::too_many, offset)};
        return {};
    }

    TableResult<> io_apic(const madt::IoApic& found, usize offset) {
        if (found.address == 0) return Err{table_.error(Defect::bad_entry, offset)};
        for (const IoApic& known : topology_.io_apics) {
            if (known.address.raw == found.address) return {};
            if (known.gsi_base == found.gsi_base) return Err{table_.error(Defect::bad_entry, offset)};
        }
        return keep(topology_.io_apics.push({found.id, Paddr{found.address}, found.gsi_base}), offset);
    }

    TableResult<> source_override(const madt::SourceOverride& found, usize offset) {
        if (found.bus != 0 || found.source >= 16) return Err{table_.error(Defect::bad_entry, offset)};
        return keep(topology_.overrides.push({found.source, found.gsi, found.flags}), offset);
    }

    TableResult<> nmi_source(const madt::NmiSource& found, usize offset) {
        return keep(topology_.nmi_sources.push({found.gsi, found.flags}), offset);
    }

    TableResult<> local_nmi(const madt::LocalNmi& found, usize offset) {
        const u32 uid = found.processor_uid == all_processors ? LocalNmi::all_cpus : found.processor_uid;
        return keep(topology_.local_nmis.push({uid, found.flags, found.lint}), offset);
    }

    TableResult<> x2apic_nmi(const madt::LocalX2ApicNmi& found, usize offset) {
        return keep(topology_.local_nmis.push({found.processor_uid, found.flags, found.lint}), offset);
    }

    const Table& table_;
    Topology& topology_;
    SeenIds seen_;
};

}  // namespace

TableResult<> parse_madt(const Table& table, Topology& topology) {
    const auto layout = TRY(table.read<MadtLayout>(0));
    topology.local_apic = Paddr{layout.local_apic};
    topology.legacy_pics = (layout.flags & 1) != 0;
    Parser parser{table, topology};
    return table.for_each_entry(sizeof layout, [&](u8 type, usize offset) { return parser.entry(type, offset); });
}

}  // namespace px::acpi
