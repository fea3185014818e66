// What the hardware domain has of the machine's devices.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/devices.hpp"

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/dom0/io_apic.hpp"
#include "arch/x86/dom0/io_ports.hpp"
#include "arch/x86/dom0/pci_traps.hpp"
#include "arch/x86/hvm/vlapic.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/irq.hpp"
#include "arch/x86/machine/serial.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {
namespace {

/// The PIT's gate and status: its output is high, and no parity error or NMI is pending.
class SystemControlPort final : public hvm::PortHandler {
public:
    u32 read(Vcpu&, u16, unsigned) override { return 0x20; }
    void write(Vcpu&, u16, unsigned, u32) override {}
};
constinit SystemControlPort system_control_port;

/// Where an ISA interrupt comes in: as the firmware says, else one to one.
acpi::SourceOverride isa_source(u8 irq) {
    for (const acpi::SourceOverride& override_ : arch::acpi_tables().topology.overrides) {
        if (override_.source == irq) return override_;
    }
    return {irq, irq, {}};
}

/// The serial console's line, if it is one of this I/O APIC's.
void connect_console(MachineIoApic& io_apic) {
    const auto line = console_connection();
    if (line && io_apic.keep(line->gsi, line->flags, line->target)) arch::console_line_connected();
}

}  // namespace

void give_ports(Domain& domain) {
    const auto frames = allocate_frames(2);  // 12 KiB: the second page's end is followed by 3 more bits
    if (!frames) panic("no memory for dom0's port bitmap");
    domain.arch.io_bitmap = static_cast<PortBitmap*>(to_virtual(*frames));
    const arch::PortRange console = arch::console_ports();
    const PortRange denied[] = {{console.first, console.count}};
    fill_port_bitmap(denied, *domain.arch.io_bitmap);
    if (!domain.arch.ports.add(0x61, 0x61, system_control_port)) panic("port 0x61 is taken");
}

std::optional<ConsoleConnection> console_connection() {
    const arch::ConsoleLine line = arch::console_line();
    if (line.irq == 0) return std::nullopt;
    const acpi::SourceOverride source = isa_source(line.irq);
    return ConsoleConnection{source.gsi, source.flags, *line.target};
}

Result<> list_trapped(TrappedRanges& out) {
    const auto add = [&](u64 start, u64 size) { return out.push_back({start, start + size, MemoryKind::reserved}); };
    const arch::AcpiTables& tables = arch::acpi_tables();
    TRY(add(hvm::VirtualLocalApic::default_base, page_size));
    for (const acpi::IoApic& io_apic : tables.topology.io_apics) TRY(add(io_apic.address.raw, page_size));
    for (const acpi::EcamWindow& window : tables.ecam) {
        TRY(add(window.base.raw + (u64{window.first_bus} << 20), (u64{window.last_bus} - window.first_bus + 1) << 20));
    }
    if (tables.hpet) TRY(add(tables.hpet->address.raw, page_size));
    return {};
}

u64 machine_top() {
    const unsigned address_bits = arch::cpuid(0x80000008).eax & 0xff;
    return device_memory_top(arch::memory_layout().machine, address_bits);
}

void give_devices(Domain& domain) {
    give_ports(domain);
    if (!arch::init_interrupt_vectors()) panic("no memory for the tables of interrupt vectors");
    for (const acpi::IoApic& io_apic : arch::acpi_tables().topology.io_apics) {
        const auto given = MachineIoApic::give(domain, io_apic);
        if (given) connect_console(**given);
        else log_error("I/O APIC {} at {:#x} can't be used (error {}): dom0 has none there", io_apic.id, io_apic.address, given.error());
    }
    if (const auto given = give_pci(domain, machine_top()); !given) panic("dom0 can't have PCI (error {})", given.error());
}

}  // namespace px::dom0
