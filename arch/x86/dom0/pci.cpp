// The hardware domain's PCI.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci.hpp"

namespace px::dom0 {
namespace {

constexpr u32 nothing = ~u32{0};
constexpr u16 bus_numbers = 0x18;  ///< of a bridge: primary, secondary, subordinate, a byte each

bool is_aligned(u16 offset, unsigned size) {
    return (size == 1 || size == 2 || size == 4) && offset % size == 0 && offset < pci::extended_config_size;
}

/// All ones: nobody there. Vendor 0 isn't assigned; 1 is a function that asks to be looked at again later.
bool is_present(u32 identity) {
    const u16 vendor = static_cast<u16>(identity);
    return vendor != 0xffff && vendor > 1;
}

}  // namespace

u32 VirtualPci::read(pci::Address address, u16 offset, unsigned size) {
    if (!is_aligned(offset, size)) return nothing;
    const Found found = find(address, offset < 4);
    switch (found.presence) {
    case Presence::shown: return found.function->read(offset, size);
    case Presence::absent: return machine_.read(address, offset, size);
    case Presence::hidden: break;
    }
    return nothing;
}

void VirtualPci::write(pci::Address address, u16 offset, unsigned size, u32 value) {
    if (!is_aligned(offset, size)) return;
    PciFunction* const function = find(address, false).function;
    if (function == nullptr) return;
    if (function->is_bridge() && (offset & 0xfffc) == bus_numbers) return write_bridge(*function, offset, size, value);
    function->write(offset, size, value);
}

/// Behind a bridge that gets other bus numbers, every function has another address: they are looked at anew.
void VirtualPci::write_bridge(PciFunction& bridge, u16 offset, unsigned size, u32 value) {
    const pci::Address address = bridge.address();
    const u32 before = machine_.read(address, bus_numbers, 4);
    bridge.write(offset, size, value);
    const u32 after = machine_.read(address, bus_numbers, 4);
    if ((before ^ after) >> 8 == 0) return;
    for (const u32 numbers : {before, after}) {
        const u8 first = static_cast<u8>(numbers >> 8), last = static_cast<u8>(numbers >> 16);
        forget([&](const PciFunction& function) {
            const pci::Address other = function.address();
            return other.segment == address.segment && other.bus != address.bus && other.bus >= first && other.bus <= last;
        });
    }
}

PciFunction* VirtualPci::trapping(u64 address) {
    for (const auto& function : functions_) {
        if (function->traps(address)) return function.get();
    }
    return nullptr;
}

template <class Predicate>
void VirtualPci::forget(Predicate gone) {
    for (usize i = functions_.size(); i-- > 0;) {
        if (gone(*functions_[i])) functions_.erase(i);
    }
}

VirtualPci::Found VirtualPci::find(pci::Address address, bool fresh) {
    PciFunction* known = nullptr;
    for (const auto& function : functions_) {
        if (function->address() == address) known = function.get();
    }
    if (known != nullptr && !fresh) return {Presence::shown, known};
    const u32 identity = machine_.read(address, pci::vendor_id, 4);
    if (known != nullptr) {
        // One that doesn't answer for a while (a reset) keeps its state; another one in its place doesn't.
        if (!is_present(identity) || identity == known->identity()) return {Presence::shown, known};
        forget([&](const PciFunction& function) { return &function == known; });
    }
    return is_present(identity) ? discover(address, identity) : Found{Presence::absent, nullptr};
}

VirtualPci::Found VirtualPci::discover(pci::Address address, u32 identity) {
    auto function = PciFunction::discover(machine_, address);
    if (!function || functions_.full()) {
        log_warning("PCI {:04x}:{:02x}:{:02x}.{} ({:08x}) is hidden from dom0: too many functions", address.segment, address.bus,
                    address.device, address.function, identity);
        return {Presence::hidden, nullptr};
    }
    (void)functions_.push_back(std::move(*function)).ok();
    return {Presence::shown, functions_.back().get()};
}

}  // namespace px::dom0
