// I/O APIC: redirection entries.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include "drivers/io.hpp"
#include "hypervisor/base/result.hpp"

namespace px {

namespace ioapic {

inline constexpr usize window = 0x20;  ///< bytes of registers that every version has
enum : usize { select = 0x00, data = 0x10 };
enum : u8 { id = 0x00, version = 0x01, redirection = 0x10 };

enum class Delivery : u8 { fixed = 0, lowest_priority = 1, smi = 2, nmi = 4, init = 5, external = 7 };

struct Version {
    u32 version : 8;
    u32 : 7;
    u32 has_assertion : 1;
    u32 last_entry : 8;
    u32 : 8;
};

/// One redirection entry [intel/82093aa 3.2.4].
struct Entry {
    u64 vector : 8 = 0;
    u64 delivery : 3 = 0;  ///< a Delivery
    u64 logical : 1 = 0;   ///< destination is a logical id
    u64 pending : 1 = 0;   ///< read only
    u64 active_low : 1 = 0;
    u64 remote_irr : 1 = 0;  ///< read only: a level interrupt waits for its end of interrupt
    u64 level : 1 = 0;
    u64 masked : 1 = 0;
    u64 : 39;
    u64 destination : 8 = 0;
};

/// The same entry when interrupt remapping is on [intel/vt-d 5.1.5.1].
struct RemappableEntry {
    u64 vector : 8 = 0;
    u64 delivery_zero : 3 = 0;
    u64 index_high : 1 = 0;  ///< bit 15 of the remapping index
    u64 pending : 1 = 0;
    u64 active_low : 1 = 0;
    u64 remote_irr : 1 = 0;
    u64 level : 1 = 0;
    u64 masked : 1 = 0;
    u64 : 31;
    u64 remappable : 1 = 1;
    u64 index_low : 15 = 0;  ///< bits 0 to 14
};
static_assert(sizeof(Entry) == 8 && sizeof(RemappableEntry) == 8);

}  // namespace ioapic

/// One I/O APIC. Not locked: index and data are two accesses, the owner serialises.
template <MmioIo Io>
class IoApicDevice {
public:
    /// enodev: nothing answers at this address.
    static Result<IoApicDevice> open(Io io) {
        IoApicDevice device{io};
        const u32 raw = device.read(ioapic::version);
        REQUIRE(raw != ~u32{0} && raw != 0, enodev);
        device.entries_ = std::bit_cast<ioapic::Version>(raw).last_entry + 1;
        REQUIRE(device.entries_ <= max_entries, enodev);
        return device;
    }

    /// How many inputs it has.
    unsigned entries() const { return entries_; }

    /// `pin` < entries().
    template <class Layout = ioapic::Entry>
    Layout entry(unsigned pin) {
        const u64 low = read(low_register(pin));
        return std::bit_cast<Layout>(u64{read(high_register(pin))} << 32 | low);
    }

    /// Replaces the entry of `pin`. Between the two register writes the input is masked, so that no interrupt
    /// goes to a mix of the old and the new destination.
    template <class Layout>
    requires(sizeof(Layout) == sizeof(u64)) void set_entry(unsigned pin, Layout entry) {
        const u64 raw = std::bit_cast<u64>(entry);
        write(low_register(pin), static_cast<u32>(raw) | mask_bit);
        write(high_register(pin), static_cast<u32>(raw >> 32));
        if (!(raw & mask_bit)) write(low_register(pin), static_cast<u32>(raw));
    }

    void mask(unsigned pin) { write(low_register(pin), read(low_register(pin)) | mask_bit); }
    void unmask(unsigned pin) { write(low_register(pin), read(low_register(pin)) & ~mask_bit); }

    void mask_all() {
        for (unsigned pin = 0; pin < entries_; ++pin) set_entry(pin, ioapic::Entry{.masked = 1});
    }

private:
    static constexpr u32 mask_bit = 1 << 16;
    static constexpr unsigned max_entries = (0x100 - ioapic::redirection) / 2;  ///< what the index byte reaches

    explicit IoApicDevice(Io io) : io_(io) {}

    static u8 low_register(unsigned pin) { return static_cast<u8>(ioapic::redirection + 2 * pin); }
    static u8 high_register(unsigned pin) { return static_cast<u8>(low_register(pin) + 1); }

    u32 read(u8 index) {
        io_.write32(ioapic::select, index);
        return io_.read32(ioapic::data);
    }
    void write(u8 index, u32 value) {
        io_.write32(ioapic::select, index);
        io_.write32(ioapic::data, value);
    }

    [[no_unique_address]] Io io_;
    unsigned entries_ = 0;
};

}  // namespace px
