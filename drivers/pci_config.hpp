// PCI configuration space: the two ways to reach it, and its layouts.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/io.hpp"
#include "hypervisor/base/result.hpp"

namespace px::pci {

/// Segment, bus, device and function of one PCI function.
struct Address {
    u16 segment = 0;
    u8 bus = 0;
    u8 device = 0;    ///< 0 to 31
    u8 function = 0;  ///< 0 to 7

    /// Bus, device, function as a requester id.
    constexpr u16 bdf() const { return static_cast<u16>(bus << 8 | device << 3 | function); }
    static constexpr Address from_bdf(u16 segment, u16 bdf) {
        return {segment, static_cast<u8>(bdf >> 8), static_cast<u8>(bdf >> 3 & 31), static_cast<u8>(bdf & 7)};
    }
    friend constexpr auto operator<=>(const Address&, const Address&) = default;
};

/// Reads and writes registers of functions. `offset` is naturally aligned for the width. A register that this
/// way can't reach (extended space through ports, other segments or buses) reads as all ones and ignores
/// writes, as the bus does.
template <class T>
concept ConfigSpace = requires(T& config, Address address, u16 offset) {
    { config.read8(address, offset) } -> std::same_as<u8>;
    { config.read16(address, offset) } -> std::same_as<u16>;
    { config.read32(address, offset) } -> std::same_as<u32>;
    config.write8(address, offset, u8{});
    config.write16(address, offset, u16{});
    config.write32(address, offset, u32{});
};

inline constexpr u16 config_size = 256;
inline constexpr u16 extended_config_size = 4096;

/// Mechanism #1: ports 0xcf8 and 0xcfc. Segment 0, the first 256 bytes. Not locked: a read is two accesses.
template <PortIo Io>
class PortConfig {
public:
    constexpr explicit PortConfig(Io io) : io_(io) {}

    u8 read8(Address a, u16 offset) { return select(a, offset) ? io_.in8(data_port(offset)) : u8{0xff}; }
    u16 read16(Address a, u16 offset) { return select(a, offset) ? io_.in16(data_port(offset)) : u16{0xffff}; }
    u32 read32(Address a, u16 offset) { return select(a, offset) ? io_.in32(data_port(offset)) : ~u32{0}; }
    void write8(Address a, u16 offset, u8 value) {
        if (select(a, offset)) io_.out8(data_port(offset), value);
    }
    void write16(Address a, u16 offset, u16 value) {
        if (select(a, offset)) io_.out16(data_port(offset), value);
    }
    void write32(Address a, u16 offset, u32 value) {
        if (select(a, offset)) io_.out32(data_port(offset), value);
    }

private:
    static constexpr u16 address_port = 0xcf8, data = 0xcfc;
    static constexpr u32 enable = u32{1} << 31;

    static u16 data_port(u16 offset) { return static_cast<u16>(data + (offset & 3)); }
    bool select(Address a, u16 offset) {
        if (a.segment != 0 || offset >= config_size) return false;
        io_.out32(address_port, enable | u32{a.bdf()} << 8 | (offset & 0xfc));
        return true;
    }

    [[no_unique_address]] Io io_;
};

/// Memory-mapped configuration space (ECAM): buses `first_bus` to `last_bus` of one segment. The window
/// starts at the registers of `first_bus` and has 1 MiB for each bus.
template <MmioIo Io>
class EcamConfig {
public:
    constexpr EcamConfig(Io io, u16 segment, u8 first_bus, u8 last_bus)
        : io_(io), segment_(segment), first_bus_(first_bus), last_bus_(last_bus) {}

    constexpr bool covers(Address a) const { return a.segment == segment_ && a.bus >= first_bus_ && a.bus <= last_bus_; }
    u8 read8(Address a, u16 offset) { return reaches(a, offset) ? io_.read8(place(a, offset)) : u8{0xff}; }
    u16 read16(Address a, u16 offset) { return reaches(a, offset) ? io_.read16(place(a, offset)) : u16{0xffff}; }
    u32 read32(Address a, u16 offset) { return reaches(a, offset) ? io_.read32(place(a, offset)) : ~u32{0}; }
    void write8(Address a, u16 offset, u8 value) {
        if (reaches(a, offset)) io_.write8(place(a, offset), value);
    }
    void write16(Address a, u16 offset, u16 value) {
        if (reaches(a, offset)) io_.write16(place(a, offset), value);
    }
    void write32(Address a, u16 offset, u32 value) {
        if (reaches(a, offset)) io_.write32(place(a, offset), value);
    }

private:
    constexpr bool reaches(Address a, u16 offset) const { return covers(a) && offset < extended_config_size; }
    constexpr usize place(Address a, u16 offset) const {
        const u16 from_start = static_cast<u16>(a.bdf() - (first_bus_ << 8));
        return usize{from_start} << 12 | offset;
    }

    [[no_unique_address]] Io io_;
    u16 segment_;
    u8 first_bus_;
    u8 last_bus_;
};

}  // namespace px::pci
