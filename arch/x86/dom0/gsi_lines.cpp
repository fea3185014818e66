// The machine's I/O APICs for a PV hardware domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/gsi_lines.hpp"

#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/console/log.hpp"

namespace px::dom0 {

LineMode default_mode(const acpi::Topology& topology, u32 gsi) {
    for (const acpi::SourceOverride& line : topology.overrides) {
        if (line.gsi == gsi) return {line.flags.level(), line.flags.active_low()};
    }
    constexpr u32 isa_lines = 16;
    return {gsi >= isa_lines, gsi >= isa_lines};
}

void GsiLines::open(const acpi::Topology& topology) {
    for (const acpi::IoApic& io_apic : topology.io_apics) {
        const auto mapped = arch::map_physical(io_apic.address, ioapic::window, arch::Cache::uncached, true);
        if (!mapped) panic("no memory to map the I/O APIC at {:#x}", io_apic.address);
        const arch::Mmio raw(*mapped);
        auto device = IoApicDevice<arch::Mmio>::open(raw);
        const bool kept = device.ok() && !devices_.full();
        if (!kept) {
            log_error("I/O APIC {} at {:#x} can't be used: dom0 has no interrupts there", io_apic.id, io_apic.address);
            continue;
        }
        device->mask_all();
        (void)devices_.push_back({io_apic.address.raw, io_apic.gsi_base, *device, raw}).ok();
    }
}

GsiLines::Device* GsiLines::find(u32 gsi) {
    for (Device& device : devices_) {
        if (gsi >= device.gsi_base && gsi - device.gsi_base < device.registers.entries()) return &device;
    }
    return nullptr;
}

u32 GsiLines::end() const {
    u32 end = 0;
    for (const Device& device : devices_) end = std::max(end, device.gsi_base + device.registers.entries());
    return end;
}

void GsiLines::connect(u32 gsi, const arch::InterruptRoute& route, LineMode mode) {
    Device& device = *find(gsi);
    device.registers.set_entry(
        gsi - device.gsi_base,
        ioapic::Entry{.vector = route.vector, .active_low = mode.active_low, .level = mode.level, .destination = route.apic_id});
}

void GsiLines::mask(u32 gsi) {
    Device& device = *find(gsi);
    device.registers.mask(gsi - device.gsi_base);
}

void GsiLines::unmask(u32 gsi) {
    Device& device = *find(gsi);
    device.registers.unmask(gsi - device.gsi_base);
}

Result<u32> GsiLines::read(u64 address, u8 index) {
    for (Device& device : devices_) {
        if (device.address != address) continue;
        device.raw.write32(ioapic::select, index);
        return device.raw.read32(ioapic::data);
    }
    return Err{Errno::einval};
}

}  // namespace px::dom0
