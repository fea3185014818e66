// What a PV hardware domain has of the machine's devices.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pv_devices.hpp"

#include "arch/x86/dom0/devices.hpp"
#include "arch/x86/dom0/gsi_lines.hpp"
#include "arch/x86/dom0/pirqs.hpp"
#include "arch/x86/dom0/pv_pci.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/irq.hpp"
#include "arch/x86/machine/serial.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {
namespace {

/// Local APICs, and what devices write their messages to. [intel/sdm3 11.11]
constexpr u64 first_message_frame = 0xfee00, end_message_frames = 0xfef00;

struct Hardware {
    explicit Hardware(Domain& domain) : pirqs(domain, lines) {}
    GsiLines lines;
    Pirqs pirqs;
    PvPci pci;
};
/// Lives as long as the machine.
constinit Hardware* hardware = nullptr;

Result<> give_interrupts_and_pci(Domain& domain) {
    auto fresh = TRY(make<Hardware>(domain));
    const acpi::Topology& topology = arch::acpi_tables().topology;
    fresh->lines.open(topology);
    TRY(fresh->pirqs.create([&](u32 gsi) { return default_mode(topology, gsi); }));
    TRY(fresh->pci.give(domain));
    const auto line = console_connection();
    if (line && fresh->pirqs.keep(line->gsi, {line->flags.level(), line->flags.active_low()}, line->target)) arch::console_line_connected();
    hardware = fresh.release();
    return {};
}

}  // namespace

void give_pv_devices(Domain& domain) {
    give_ports(domain);
    if (!arch::init_interrupt_vectors()) panic("no memory for the tables of interrupt vectors");
    if (const auto given = give_interrupts_and_pci(domain); !given) panic("dom0 can't have interrupts and PCI (error {})", given.error());
}

Pirqs* hardware_pirqs() { return hardware != nullptr ? &hardware->pirqs : nullptr; }
PvPci* hardware_pci() { return hardware != nullptr ? &hardware->pci : nullptr; }

bool may_map(const Domain& domain, Mfn mfn) { return domain.settings.hardware && may_map_machine_frame(mfn); }

bool may_map_machine_frame(Mfn mfn) {
    if (mfn.raw >= first_message_frame && mfn.raw < end_message_frames) return false;
    for (const acpi::IoApic& io_apic : arch::acpi_tables().topology.io_apics) {
        if (mfn == to_mfn(Paddr{io_apic.address.raw})) return false;
    }
    return true;
}

bool is_read_only(Mfn mfn) {
    const arch::AcpiTables& tables = arch::acpi_tables();
    const u64 address = to_paddr(mfn).raw;
    for (const acpi::EcamWindow& window : tables.ecam) {
        const u64 start = window.base.raw + (u64{window.first_bus} << 20), end = window.base.raw + ((u64{window.last_bus} + 1) << 20);
        if (address >= start && address < end) return true;
    }
    if (hardware != nullptr && hardware->pci.holds_table(mfn)) return true;
    return tables.hpet && mfn == to_mfn(Paddr{tables.hpet->address.raw});
}

}  // namespace px::dom0
