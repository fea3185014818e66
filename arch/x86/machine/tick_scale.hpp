// Ticks of a counter to nanoseconds.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// A multiplier as pvclock has it: ns = ((ticks << shift, or >> -shift) × multiplier) >> 32. [xen/public xen.h]
struct TickScale {
    u32 multiplier;
    i8 shift;
};

/// For a counter of `khz` > 0: the shift that leaves 32 significant bits to the multiplier.
constexpr TickScale make_scale(u64 khz) {
    u64 hertz = khz * 1000;
    TickScale result{0, 0};
    while (hertz > 2'000'000'000) {
        hertz >>= 1;
        --result.shift;
    }
    while (hertz <= 1'000'000'000) {
        hertz <<= 1;
        ++result.shift;
    }
    result.multiplier = static_cast<u32>((u64{1'000'000'000} << 32) / hertz);
    return result;
}

/// Nanoseconds of `ticks`; wraps where they don't fit 64 bits.
constexpr u64 scale_ticks(u64 ticks, TickScale by) {
    ticks = by.shift >= 0 ? ticks << by.shift : ticks >> -by.shift;
    return static_cast<u64>(static_cast<unsigned __int128>(ticks) * by.multiplier >> 32);
}

}  // namespace px::arch
