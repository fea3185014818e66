// The machine's PCI.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/machine_pci.hpp"

#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/domain/domain.hpp"

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

Result<> MachinePci::create() {
    routes_ = TRY(HeapArray<Route>::create(max_routes));
    for (Route& route : routes_) route.domain = &domain_;
    return {};
}

// ---- registers and memory

volatile u8* MachinePci::window(u64 address, u64 size) {
    for (const Window& known : windows_) {
        if (known.address == address) return known.view;
    }
    if (windows_.full()) return nullptr;
    const auto mapped = arch::map_physical(Paddr{address}, size, arch::Cache::uncached, true);
    if (!mapped) return nullptr;
    (void)windows_.push_back({address, static_cast<volatile u8*>(*mapped)}).ok();
    return windows_.back().view;
}

volatile u8* MachinePci::registers(pci::Address function, u16 offset) {
    for (const acpi::EcamWindow& ecam : arch::acpi_tables().ecam) {
        if (ecam.segment != function.segment || function.bus < ecam.first_bus || function.bus > ecam.last_bus) continue;
        volatile u8* const bus = window(ecam.base.raw + function.bus * bus_size, bus_size);
        return bus == nullptr ? nullptr : bus + (u32{function.bdf()} & 0xff) * page_size + offset;
    }
    return nullptr;
}

u32 MachinePci::read(pci::Address function, u16 offset, unsigned size) {
    if (by_ports(function, offset)) {
        pci::PortConfig<arch::Ports> config{arch::Ports{}};
        return size == 1 ? config.read8(function, offset) : size == 2 ? config.read16(function, offset) : config.read32(function, offset);
    }
    const volatile u8* const place = registers(function, offset);
    return place == nullptr ? ~u32{0} : static_cast<u32>(load(place, size));
}

void MachinePci::write(pci::Address function, u16 offset, unsigned size, u32 value) {
    if (by_ports(function, offset)) {
        pci::PortConfig<arch::Ports> config{arch::Ports{}};
        if (size == 1) config.write8(function, offset, static_cast<u8>(value));
        else if (size == 2) config.write16(function, offset, static_cast<u16>(value));
        else config.write32(function, offset, value);
        return;
    }
    if (volatile u8* const place = registers(function, offset)) store(place, size, value);
}

volatile u8* MachinePci::device_memory(u64 address) {
    if (has_frame(Mfn{address >> page_shift})) return nullptr;
    volatile u8* const page = window(align_down<u64>(address, page_size), page_size);
    return page == nullptr ? nullptr : page + (address & (page_size - 1));
}

u64 MachinePci::read_memory(u64 address, unsigned size) {
    const volatile u8* const place = device_memory(address);
    return place == nullptr ? ~u64{0} : load(place, size);
}

void MachinePci::write_memory(u64 address, unsigned size, u64 value) {
    if (volatile u8* const place = device_memory(address)) store(place, size, value);
}

// ---- interrupts

void MachinePci::Route::interrupt() {
    const u64 value = message.load(std::memory_order_acquire);
    hvm::deliver(*domain, {static_cast<u32>(value >> 32), static_cast<u32>(value)});
}

Result<RouteId> MachinePci::open_route(const Message& message) {
    for (u16 i = 1; i < routes_.size(); ++i) {
        Route& route = routes_[i];
        if (route.host.bound()) continue;
        route.set(message);
        route.host = TRY(arch::bind_interrupt(route, hvm::cpu_of_destination(domain_, message.destination(), message.logical())));
        return RouteId{i};
    }
    return Err{Errno::enospc};
}

void MachinePci::change_route(RouteId route, const Message& message) { routes_[route.raw].set(message); }
void MachinePci::close_route(RouteId route) { arch::unbind_interrupt(std::exchange(routes_[route.raw].host, {})); }

Message MachinePci::device_message(RouteId route) {
    const arch::InterruptRoute& host = routes_[route.raw].host;
    return {static_cast<u32>(host.message_address()), host.message_data()};
}

// ---- dom0's physmap

void MachinePci::trap_page(u64 address) {
    const Gfn gfn{address >> page_shift};
    if (domain_.physmap.lookup(gfn).type != GfnType::mmio_direct) return;
    if (!domain_.physmap.add_emulated(gfn, 1)) log_error("dom0: no memory to trap the MSI-X table at {:#x}", address);
}

void MachinePci::release_page(u64 address) { show(address, page_size); }

void MachinePci::show(u64 address, u64 size) {
    const u64 end = align_up<u64>(address + size, page_size);
    for (u64 at = align_down<u64>(address, page_size); at < end;) {
        if (at >= mapped_top_) {
            // Nothing of the machine's was mapped there when dom0 was built: in the largest pages.
            const u64 frame = at >> page_shift;
            if (!domain_.physmap.add_mmio(Gfn{frame}, Mfn{frame}, (end - at) >> page_shift)) log_error("dom0: no memory to map a BAR at {:#x}", at);
            return;
        }
        const Gfn gfn{at >> page_shift};
        const GfnEntry there = domain_.physmap.lookup(gfn);
        const u64 step = page_size << (there.type == GfnType::invalid ? 0 : there.order);
        // Never RAM: neither the hypervisor's nor a guest's. What dom0 has put there itself stays.
        if (there.type == GfnType::invalid && !has_frame(Mfn{gfn.raw}) && !domain_.physmap.add_mmio(gfn, Mfn{gfn.raw}, 1)) {
            return log_error("dom0: no memory to map a BAR at {:#x}", address);
        }
        at = align_down<u64>(at, step) + step;
    }
}

}  // namespace px::dom0
