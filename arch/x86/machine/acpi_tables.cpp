// What the firmware's ACPI tables tell.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/acpi_tables.hpp"

#include "arch/x86/machine/io.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "drivers/acpi/madt.hpp"
#include "hypervisor/console/log.hpp"

namespace px::arch {
namespace {

using namespace acpi;

class MachineMemory final : public PhysicalMemory {
public:
    std::span<const u8> map(Paddr address, usize length) override {
        if (length == 0 || address.raw + length < address.raw || address.raw + length > direct_map_size) return {};
        bool in_ram = true;
        for (u64 page = address.raw >> page_shift; page <= (address.raw + length - 1) >> page_shift && in_ram; ++page) {
            in_ram = is_ram(Mfn{page});
        }
        if (in_ram) return {static_cast<const u8*>(to_virtual(address)), length};
        // One window per 64 KiB of firmware memory, kept: tables lie close together and are read several times.
        for (const Window& window : windows_) {
            if (address.raw >= window.start && address.raw + length <= window.start + window.size) {
                return {window.view + (address.raw - window.start), length};
            }
        }
        const u64 start = align_down<u64>(address.raw, page_size);
        const u64 size = align_up<u64>(address.raw + length - start, usize{1} << 16);
        const auto view = map_physical(Paddr{start}, size, Cache::write_back, false);
        if (!view) return {};
        (void)windows_.push_back({start, size, static_cast<const u8*>(*view)}).ok();
        return {static_cast<const u8*>(*view) + (address.raw - start), length};
    }

private:
    struct Window {
        u64 start, size;
        const u8* view;
    };
    StaticVector<Window, 64> windows_;
};

MachineMemory machine_memory;
AcpiTables tables;

template <class T>
void complain(const TableResult<T>& result) {
    if (result.ok()) return;
    const TableError& error = result.error();
    log_warning("ACPI table {} {} (offset {})", error.table.text(), text(error.defect), error.offset);
}

/// A table that may be missing: parsed where it is there, complained of where it is broken.
template <class Parse>
void with_table(Signature signature, Parse parse) {
    const auto table = tables.list->find(signature);
    if (table.ok()) return complain(parse(*table));
    if (table.error().defect != Defect::not_found) complain(table);
}

}  // namespace

acpi::PhysicalMemory& acpi_memory() { return machine_memory; }
AcpiTables& acpi_tables() { return tables; }

void read_acpi_tables(u64 rsdp) {
    auto root = rsdp != 0 ? read_root_pointer(machine_memory, Paddr{rsdp}) : scan_root_pointer(machine_memory);
    if (!root.ok() && rsdp != 0) {
        complain(root);
        root = scan_root_pointer(machine_memory);
    }
    if (!root.ok()) return complain(root);
    tables.root = *root;
    const auto list = TableList::open(machine_memory, *root);
    if (!list.ok()) return complain(list);
    tables.list.emplace(*list);
    with_table("APIC"_sig, [](const Table& table) { return parse_madt(table, tables.topology); });
    with_table("MCFG"_sig, [](const Table& table) { return parse_mcfg(table, tables.ecam); });
    with_table(srat_signature, [](const Table& table) {
        const TableResult<> all = parse_srat(table, tables.affinity);
        if (!all.ok()) tables.affinity.memory.clear();  // half a description is none
        return all;
    });
    with_table(slit_signature, [](const Table& table) -> TableResult<> {
        tables.distances = TRY(Distances::parse(table));
        return {};
    });
    with_table("HPET"_sig, [](const Table& table) -> TableResult<> {
        tables.hpet = TRY(parse_hpet(table));
        return {};
    });
    with_table("FACP"_sig, [](const Table& table) -> TableResult<> {
        tables.fixed = TRY(parse_fadt(table));
        const Table dsdt = TRY(Table::open(machine_memory, tables.fixed->dsdt, "DSDT"_sig));
        tables.s5 = find_s5(dsdt.bytes());
        return {};
    });
}

void acpi_power_off() {
    if (tables.fixed && tables.s5) (void)power_off(Ports{}, *tables.fixed, *tables.s5).ok();
}
void acpi_reset() {
    if (tables.fixed) (void)reset(Ports{}, *tables.fixed).ok();
}

}  // namespace px::arch
