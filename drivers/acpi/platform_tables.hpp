// The small tables: HPET, MCFG, SRAT, SLIT.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/table.hpp"
#include "drivers/acpi/topology.hpp"

namespace px::acpi {

inline constexpr Signature hpet_signature = "HPET"_sig;
inline constexpr Signature mcfg_signature = "MCFG"_sig;
inline constexpr Signature srat_signature = "SRAT"_sig;
inline constexpr Signature slit_signature = "SLIT"_sig;

struct HpetInfo {
    Paddr address;
    u8 number = 0;
    u16 minimum_tick = 0;
};
/// bad_entry for an HPET that isn't in memory.
TableResult<HpetInfo> parse_hpet(const Table& table);

/// One window of memory-mapped PCI configuration space: bus `first_bus` starts at `base` + (first_bus << 20).
struct EcamWindow {
    Paddr base;
    u16 segment = 0;
    u8 first_bus = 0;
    u8 last_bus = 0;
};
using EcamWindows = FixedList<EcamWindow, 64>;
/// Adds to `windows`.
TableResult<> parse_mcfg(const Table& table, EcamWindows& windows);

/// Adds to `affinity`. Ranges that wrap around are a bad_entry; empty ones are skipped.
TableResult<> parse_srat(const Table& table, Affinity& affinity);

/// Relative distances between proximity domains; 10 is local.
class Distances {
public:
    static TableResult<Distances> parse(const Table& table);
    usize count() const { return count_; }
    /// Both below count().
    u8 between(usize from, usize to) const { return matrix_[from * count_ + to]; }

private:
    Distances(usize count, std::span<const u8> matrix) : count_(count), matrix_(matrix) {}
    usize count_;
    std::span<const u8> matrix_;
};

}  // namespace px::acpi
