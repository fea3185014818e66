// The registers of the machine's PCI functions.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci_registers.hpp"

#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/io.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/mm/frame.hpp"

namespace px::dom0 {
namespace {

constexpr u64 bus_size = u64{1} << 20;

u64 load(const volatile u8* from, unsigned size) {
    switch (size) {
    case 1: return *from;
    case 2: return *reinterpret_cast<const volatile u16*>(from);
    case 4: return *reinterpret_cast<const volatile u32*>(from);
    default: return *reinterpret_cast<const volatile u64*>(from);
    }
}

void store(volatile u8* to, unsigned size, u64 value) {
    switch (size) {
    case 1: *to = static_cast<u8>(value); break;
    case 2: *reinterpret_cast<volatile u16*>(to) = static_cast<u16>(value); break;
    case 4: *reinterpret_cast<volatile u32*>(to) = static_cast<u32>(value); break;
    default: *reinterpret_cast<volatile u64*>(to) = value; break;
    }
}

constexpr bool by_ports(pci::Address function, u16 offset) { return function.segment == 0 && offset < pci::config_size; }

}  // namespace

volatile u8* PciRegisters::window(u64 address, u64 size) {
    for (const Window& known : windows_) {
        if (known.address == address) return known.view;
    }
    if (windows_.full()) return nullptr;
    const auto mapped = arch::map_physical(Paddr{address}, size, arch::Cache::uncached, true);
    if (!mapped) return nullptr;
    (void)windows_.push_back({address, static_cast<volatile u8*>(*mapped)}).ok();
    return windows_.back().view;
}

volatile u8* PciRegisters::registers(pci::Address function, u16 offset) {
    for (const acpi::EcamWindow& ecam : arch::acpi_tables().ecam) {
        if (ecam.segment != function.segment || function.bus < ecam.first_bus || function.bus > ecam.last_bus) continue;
        volatile u8* const bus = window(ecam.base.raw + function.bus * bus_size, bus_size);
        return bus == nullptr ? nullptr : bus + (u32{function.bdf()} & 0xff) * page_size + offset;
    }
    return nullptr;
}

u32 PciRegisters::read(pci::Address function, u16 offset, unsigned size) {
    if (by_ports(function, offset)) {
        pci::PortConfig<arch::Ports> config{arch::Ports{}};
        return size == 1 ? config.read8(function, offset) : size == 2 ? config.read16(function, offset) : config.read32(function, offset);
    }
    const volatile u8* const place = registers(function, offset);
    return place == nullptr ? ~u32{0} : static_cast<u32>(load(place, size));
}

void PciRegisters::write(pci::Address function, u16 offset, unsigned size, u32 value) {
    if (by_ports(function, offset)) {
        pci::PortConfig<arch::Ports> config{arch::Ports{}};
        if (size == 1) config.write8(function, offset, static_cast<u8>(value));
        else if (size == 2) config.write16(function, offset, static_cast<u16>(value));
        else config.write32(function, offset, value);
        return;
    }
    if (volatile u8* const place = registers(function, offset)) store(place, size, value);
}

volatile u8* PciRegisters::device_memory(u64 address) {
    if (has_frame(Mfn{address >> page_shift})) return nullptr;
    volatile u8* const page = window(align_down<u64>(address, page_size), page_size);
    return page == nullptr ? nullptr : page + (address & (page_size - 1));
}

u64 PciRegisters::read_memory(u64 address, unsigned size) {
    const volatile u8* const place = device_memory(address);
    return place == nullptr ? ~u64{0} : load(place, size);
}

void PciRegisters::write_memory(u64 address, unsigned size, u64 value) {
    if (volatile u8* const place = device_memory(address)) store(place, size, value);
}

}  // namespace px::dom0
