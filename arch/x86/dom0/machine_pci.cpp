// The machine's PCI.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/machine_pci.hpp"

#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {

Result<> MachinePci::create() {
    routes_ = TRY(HeapArray<Route>::create(max_routes));
    for (Route& route : routes_) route.domain = &domain_;
    return {};
}

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
            if (!domain_.physmap.add_mmio(Gfn{frame}, Mfn{frame}, (end - at) >> page_shift))
                log_error("dom0: no memory to map a BAR at {:#x}", at);
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
