// Extent: a half-open range of addresses.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::loader {

/// [start, end) in bytes; start ≤ end, so the last byte of the address space is never inside.
struct Extent {
    u64 start{};
    u64 end{};

    constexpr u64 size() const { return end - start; }
    constexpr bool empty() const { return start == end; }
    constexpr bool contains(u64 address) const { return start <= address && address < end; }
    constexpr bool contains(Extent other) const { return start <= other.start && other.end <= end; }
    constexpr bool overlaps(Extent other) const { return start < other.end && other.start < end; }
    friend constexpr bool operator==(Extent, Extent) = default;
};

}  // namespace px::loader
