// What a PCI function's registers say: header, capabilities, BARs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <optional>

#include "drivers/pci_config.hpp"

namespace px::pci {

enum Register : u16 {
    vendor_id = 0x00,
    device_id = 0x02,
    command = 0x04,
    status = 0x06,
    class_revision = 0x08,
    header_type = 0x0e,
    bar0 = 0x10,
    capabilities_pointer = 0x34,
    extended_capabilities = 0x100
};

/// The command register.
struct Command {
    u16 io : 1 = 0;
    u16 memory : 1 = 0;
    u16 bus_master : 1 = 0;
    u16 : 3;
    u16 parity_response : 1 = 0;
    u16 : 1;
    u16 serr : 1 = 0;
    u16 : 1;
    u16 interrupt_disable : 1 = 0;
    u16 : 5;
};

enum class HeaderKind : u8 { device = 0, bridge = 1, cardbus = 2 };

enum class Capability : u8 { power_management = 0x01, msi = 0x05, vendor = 0x09, pci_express = 0x10, msi_x = 0x11 };

/// MSI message control, at capability + 2 [pci/3.0 6.8.1.3].
struct MsiControl {
    u16 enable : 1 = 0;
    u16 multiple_capable : 3 = 0;  ///< log2 of the vectors it asks for
    u16 multiple_enabled : 3 = 0;  ///< log2 of the vectors it may use
    u16 address_64_bit : 1 = 0;
    u16 per_vector_mask : 1 = 0;
    u16 : 7;

    /// Offsets from the capability; they move with the width of the address.
    static constexpr u16 address_low = 4, address_high = 8;
    constexpr u16 data() const { return address_64_bit ? 12 : 8; }
    constexpr u16 mask() const { return address_64_bit ? 16 : 12; }
    constexpr u16 pending() const { return address_64_bit ? 20 : 16; }
    /// Bytes of the whole capability.
    constexpr u16 size() const { return static_cast<u16>(data() + (per_vector_mask ? 12 : 2)); }
};

/// MSI-X message control, at capability + 2 [pci/3.0 6.8.2.3].
struct MsixControl {
    u16 last_entry : 11 = 0;
    u16 : 3;
    u16 mask_all : 1 = 0;
    u16 enable : 1 = 0;

    static constexpr u16 table = 4, pending = 8, size = 12;
    constexpr unsigned entries() const { return last_entry + 1u; }
};

/// Where the MSI-X table or its pending bits are.
struct MsixPlace {
    u32 bar : 3 = 0;
    u32 offset_8 : 29 = 0;  ///< in units of 8 bytes
    constexpr u32 offset() const { return offset_8 << 3; }
};

/// One entry of the MSI-X table, in device memory.
struct MsixEntry {
    u32 address_low = 0;
    u32 address_high = 0;
    u32 data = 0;
    u32 masked : 1 = 0;
    u32 : 31;
};
static_assert(sizeof(MsiControl) == 2 && sizeof(MsixControl) == 2 && sizeof(MsixPlace) == 4 && sizeof(MsixEntry) == 16);

template <ConfigSpace Config>
bool present(Config& config, Address address) {
    const u16 vendor = config.read16(address, vendor_id);
    return vendor != 0xffff && vendor != 0;
}

template <ConfigSpace Config>
HeaderKind header_kind(Config& config, Address address) {
    return static_cast<HeaderKind>(config.read8(address, header_type) & 0x7f);
}

/// Calls `visit(id, offset)` for each capability until it returns true; returns where that was. Lists that
/// loop or point into the header end where they go wrong.
template <ConfigSpace Config, class Visitor>
std::optional<u16> walk_capabilities(Config& config, Address address, Visitor visit) {
    constexpr u16 has_list = 1 << 4;
    constexpr unsigned longest = (config_size - 0x40) / 4;
    if (!(config.read16(address, status) & has_list)) return std::nullopt;
    u16 offset = config.read8(address, capabilities_pointer) & 0xfc;
    for (unsigned hops = 0; offset >= 0x40 && hops < longest; ++hops) {
        const u16 head = config.read16(address, offset);
        if (head == 0xffff) return std::nullopt;
        if (visit(static_cast<u8>(head), offset)) return offset;
        offset = head >> 8 & 0xfc;
    }
    return std::nullopt;
}

template <ConfigSpace Config>
std::optional<u16> find_capability(Config& config, Address address, Capability wanted) {
    return walk_capabilities(config, address, [wanted](u8 id, u16) { return id == static_cast<u8>(wanted); });
}

/// The same for the extended capabilities, which need ECAM; `visit(id, version, offset)`.
template <ConfigSpace Config, class Visitor>
std::optional<u16> walk_extended_capabilities(Config& config, Address address, Visitor visit) {
    constexpr unsigned longest = (extended_config_size - config_size) / 8;
    u16 offset = extended_capabilities;
    for (unsigned hops = 0; offset >= extended_capabilities && hops < longest; ++hops) {
        const u32 head = config.read32(address, offset);
        if (head == 0 || head == ~u32{0}) return std::nullopt;
        if (visit(static_cast<u16>(head), static_cast<u8>(head >> 16 & 15), offset)) return offset;
        offset = static_cast<u16>(head >> 20 & 0xffc);
    }
    return std::nullopt;
}

struct Bar {
    enum class Kind : u8 { none, io, memory_32, memory_64 };
    Kind kind = Kind::none;
    bool prefetchable = false;
    u64 address = 0;  ///< as the firmware assigned it; a port for io
    u64 size = 0;     ///< bytes, a power of two

    constexpr bool is_memory() const { return kind == Kind::memory_32 || kind == Kind::memory_64; }
};

/// A function's six BARs, a bridge's two. The upper half of a 64-bit BAR is `none`.
using Bars = std::array<Bar, 6>;

namespace detail {

/// Writes all ones, reads what sticks, restores.
template <ConfigSpace Config>
u32 size_mask(Config& config, Address address, u16 offset, u32 original) {
    config.write32(address, offset, ~u32{0});
    const u32 mask = config.read32(address, offset);
    config.write32(address, offset, original);
    return mask;
}

template <ConfigSpace Config>
Bar probe_bar(Config& config, Address address, u16 offset, bool last) {
    const u32 low = config.read32(address, offset);
    const u32 mask = size_mask(config, address, offset, low);
    if (mask == 0) return {};
    if (low & 1) {
        // Devices may leave the upper 16 bits of a port BAR unimplemented.
        const u32 bits = (mask & ~u32{3}) | 0xffff0000;
        const u32 size = ~bits + 1;
        return size == 0 ? Bar{} : Bar{Bar::Kind::io, false, low & ~u32{3}, size};
    }
    Bar bar{Bar::Kind::memory_32, (low & 8) != 0, low & ~u32{15}, 0};
    u64 bits = 0xffffffff00000000 | (mask & ~u32{15});
    if ((low >> 1 & 3) == 2) {
        if (last) return {};  // its upper half would lie outside the BARs
        bar.kind = Bar::Kind::memory_64;
        const u32 high = config.read32(address, static_cast<u16>(offset + 4));
        const u32 high_mask = size_mask(config, address, static_cast<u16>(offset + 4), high);
        bar.address |= u64{high} << 32;
        bits = u64{high_mask} << 32 | (mask & ~u32{15});
    }
    bar.size = ~bits + 1;
    return std::has_single_bit(bar.size) ? bar : Bar{};
}

}  // namespace detail

/// Kinds, addresses and sizes of the BARs. Decoding is off while it probes, so nothing may use the device
/// meanwhile; the registers are as before afterwards.
template <ConfigSpace Config>
Bars probe_bars(Config& config, Address address) {
    const auto kind = header_kind(config, address);
    const unsigned count = kind == HeaderKind::device ? 6 : kind == HeaderKind::bridge ? 2 : 0;
    const u16 original = config.read16(address, command);
    auto quiet = std::bit_cast<Command>(original);
    quiet.io = quiet.memory = 0;
    config.write16(address, command, std::bit_cast<u16>(quiet));
    Bars bars{};
    for (unsigned i = 0; i < count; ++i) {
        bars[i] = detail::probe_bar(config, address, static_cast<u16>(bar0 + 4 * i), i + 1 == count);
        if (bars[i].kind == Bar::Kind::memory_64) ++i;
    }
    config.write16(address, command, original);
    return bars;
}

}  // namespace px::pci
