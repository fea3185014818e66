// HPET [ia-pc hpet 1.0a 3.2.4], MCFG [pci firmware 3.0 4.1.2], SRAT and SLIT [acpi/6.4 5.2.16, 5.2.17].
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/platform_tables.hpp"

namespace px::acpi {

TableResult<HpetInfo> parse_hpet(const Table& table) {
    const auto hpet = TRY(table.read<HpetLayout>(0));
    if (hpet.address.space != AddressSpace::memory || !hpet.address.present()) {
        return Err{table.error(Defect::bad_entry, offsetof(HpetLayout, address))};
    }
    return HpetInfo{Paddr{hpet.address.address}, hpet.number, hpet.minimum_tick};
}

TableResult<> parse_mcfg(const Table& table, EcamWindows& windows) {
    const usize end = table.bytes().size();
    for (usize offset = mcfg_entries_offset; offset < end; offset += sizeof(McfgEntry)) {
        const auto entry = TRY(table.read<McfgEntry>(offset));
        if (entry.base == 0 || entry.first_bus > entry.last_bus) return Err{table.error(Defect::bad_entry, offset)};
        const EcamWindow window{Paddr{entry.base}, entry.segment, entry.first_bus, entry.last_bus};
        if (!windows.push(window)) return Err{table.error(Defect::too_many, offset)};
    }
    return {};
}

namespace {

constexpr u32 entry_enabled = 1;

TableResult<> add_cpu(const Table& table, usize offset, Affinity& affinity, const CpuAffinity& cpu) {
    if (!affinity.cpus.push(cpu)) return Err{table.error(Defect::too_many, offset)};
    return {};
}

TableResult<> add_memory(const Table& table, usize offset, Affinity& affinity) {
    const auto range = TRY(table.entry<srat::Memory>(offset));
    if (!(range.flags & entry_enabled) || range.length == 0) return {};
    if (range.base + range.length < range.base) return Err{table.error(Defect::bad_entry, offset)};
    const MemoryAffinity memory{Paddr{range.base}, range.length, range.proximity, (range.flags & 2) != 0, (range.flags & 4) != 0};
    if (!affinity.memory.push(memory)) return Err{table.error(Defect::too_many, offset)};
    return {};
}

TableResult<> add_entry(const Table& table, u8 type, usize offset, Affinity& affinity) {
    switch (static_cast<srat::Type>(type)) {
    case srat::Type::memory: return add_memory(table, offset, affinity);
    case srat::Type::local_apic: {
        const auto cpu = TRY(table.entry<srat::LocalApic>(offset));
        if (!(cpu.flags & entry_enabled)) return {};
        u32 proximity = cpu.proximity_low;
        if (table.revision() >= 2) {
            proximity |= u32{cpu.proximity_high[0]} << 8 | u32{cpu.proximity_high[1]} << 16 | u32{cpu.proximity_high[2]} << 24;
        }
        return add_cpu(table, offset, affinity, {cpu.apic_id, proximity});
    }
    case srat::Type::local_x2apic: {
        const auto cpu = TRY(table.entry<srat::LocalX2Apic>(offset));
        if (!(cpu.flags & entry_enabled)) return {};
        return add_cpu(table, offset, affinity, {cpu.x2apic_id, cpu.proximity});
    }
    }
    return {};
}

}  // namespace

TableResult<> parse_srat(const Table& table, Affinity& affinity) {
    return table.for_each_entry(srat::entries_offset, [&](u8 type, usize offset) { return add_entry(table, type, offset, affinity); });
}

TableResult<Distances> Distances::parse(const Table& table) {
    constexpr u64 max_count = 1024;
    const u64 count = TRY(table.read<u64>(sizeof(Header)));
    const usize matrix = sizeof(Header) + sizeof(u64);
    if (count > max_count || table.bytes().size() - matrix < count * count) return Err{table.error(Defect::bad_length)};
    for (usize i = 0; i < count; ++i) {
        if (table.bytes()[matrix + i * count + i] != 10) return Err{table.error(Defect::bad_entry, matrix + i * count + i)};
    }
    return Distances{count, table.bytes().subspan(matrix, count * count)};
}

}  // namespace px::acpi
