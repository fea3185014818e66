// Where the message of a device's interrupt is written: its MSI capability, or an entry of its MSI-X table. [pci/3.0 6.8]
//
// `Registers` is PciRegisters or a test's.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "drivers/pci_device.hpp"

namespace px::dom0 {

struct MessagePlace {
    pci::Address function{};
    u16 capability = 0;        ///< offset of MSI's
    pci::MsiControl layout{};  ///< of MSI's
    u64 entry = 0;             ///< address of the MSI-X entry; 0: it is MSI
    bool operator==(const MessagePlace& other) const {
        return function == other.function && capability == other.capability && entry == other.entry;
    }
};

namespace detail {
/// Registers in the form that the drivers' functions take.
template <class Registers>
struct ConfigOf {
    Registers& registers;
    u8 read8(pci::Address a, u16 offset) { return static_cast<u8>(registers.read(a, offset, 1)); }
    u16 read16(pci::Address a, u16 offset) { return static_cast<u16>(registers.read(a, offset, 2)); }
    u32 read32(pci::Address a, u16 offset) { return registers.read(a, offset, 4); }
    void write8(pci::Address a, u16 offset, u8 value) { registers.write(a, offset, 1, value); }
    void write16(pci::Address a, u16 offset, u16 value) { registers.write(a, offset, 2, value); }
    void write32(pci::Address a, u16 offset, u32 value) { registers.write(a, offset, 4, value); }
};
}  // namespace detail

/// The function's only MSI message. Errors: enodev (no such capability).
template <class Registers>
Result<MessagePlace> find_msi(Registers& registers, pci::Address function) {
    detail::ConfigOf<Registers> config{registers};
    const auto at = pci::find_capability(config, function, pci::Capability::msi);
    REQUIRE(at.has_value(), enodev);
    const auto layout = std::bit_cast<pci::MsiControl>(config.read16(function, static_cast<u16>(*at + 2)));
    REQUIRE(*at + layout.size() <= pci::config_size, enodev);
    return MessagePlace{function, *at, layout};
}

/// Entry `index` of the table in the BAR at `bar`, as the hardware domain has placed it. Errors: enodev (no such capability), einval
/// (no such entry).
template <class Registers>
Result<MessagePlace> find_msix(Registers& registers, pci::Address function, u32 index, u64 bar) {
    detail::ConfigOf<Registers> config{registers};
    const auto at = pci::find_capability(config, function, pci::Capability::msi_x);
    REQUIRE(at && *at + pci::MsixControl::size <= pci::config_size, enodev);
    const auto control = std::bit_cast<pci::MsixControl>(config.read16(function, static_cast<u16>(*at + 2)));
    REQUIRE(index < control.entries() && bar % page_size == 0, einval);
    const auto table = std::bit_cast<pci::MsixPlace>(config.read32(function, static_cast<u16>(*at + pci::MsixControl::table)));
    return MessagePlace{function, *at, {}, bar + table.offset() + index * sizeof(pci::MsixEntry)};
}

struct TablePlace {
    u64 start, end;
};
/// Where the function's MSI-X table is; nothing: it has none, or its BAR isn't placed.
template <class Registers>
std::optional<TablePlace> msix_table(Registers& registers, pci::Address function) {
    detail::ConfigOf<Registers> config{registers};
    const auto at = pci::find_capability(config, function, pci::Capability::msi_x);
    if (!at || *at + pci::MsixControl::size > pci::config_size) return std::nullopt;
    const auto control = std::bit_cast<pci::MsixControl>(config.read16(function, static_cast<u16>(*at + 2)));
    const auto table = std::bit_cast<pci::MsixPlace>(config.read32(function, static_cast<u16>(*at + pci::MsixControl::table)));
    constexpr unsigned bars = 6;
    if (table.bar >= bars) return std::nullopt;
    const u16 bar = static_cast<u16>(pci::bar0 + 4 * table.bar);
    const u32 low = config.read32(function, bar);
    const bool is_64bit = (low & 7) == 4;
    if ((low & 1) != 0 || (is_64bit && table.bar + 1 == bars)) return std::nullopt;
    const u64 base = (low & ~u32{15}) | (is_64bit ? u64{config.read32(function, static_cast<u16>(bar + 4))} << 32 : 0);
    if (base == 0) return std::nullopt;
    const u64 start = base + table.offset();
    return TablePlace{start, start + control.entries() * sizeof(pci::MsixEntry)};
}

inline constexpr u64 msix_vector_control = 12;

/// An MSI-X entry stays masked. Whoever enables the function's messages does that afterwards.
template <class Registers>
void write_message(Registers& registers, const MessagePlace& place, u64 address, u32 data) {
    if (place.entry != 0) {
        registers.write_memory(place.entry + msix_vector_control, 4, 1);
        registers.write_memory(place.entry, 4, static_cast<u32>(address));
        registers.write_memory(place.entry + 4, 4, address >> 32);
        registers.write_memory(place.entry + 8, 4, data);
        return;
    }
    const auto put = [&](u16 at, unsigned size, u32 value) {
        registers.write(place.function, static_cast<u16>(place.capability + at), size, value);
    };
    put(pci::MsiControl::address_low, 4, static_cast<u32>(address));
    if (place.layout.address_64_bit != 0) put(pci::MsiControl::address_high, 4, static_cast<u32>(address >> 32));
    put(place.layout.data(), 2, data);
    if (place.layout.per_vector_mask != 0) put(place.layout.mask(), 4, 0);
}

}  // namespace px::dom0
