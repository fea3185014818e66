// The one unit of time: signed nanoseconds, for instants (since boot) and for spans alike. Good for 292 years.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <limits>

#include "hypervisor/base/types.hpp"

namespace px {

struct Nanoseconds {
    i64 raw = 0;

    constexpr Nanoseconds() = default;
    constexpr explicit Nanoseconds(i64 value) : raw(value) {}
    friend constexpr auto operator<=>(Nanoseconds, Nanoseconds) = default;

    friend constexpr Nanoseconds operator+(Nanoseconds a, Nanoseconds b) { return Nanoseconds{a.raw + b.raw}; }
    friend constexpr Nanoseconds operator-(Nanoseconds a, Nanoseconds b) { return Nanoseconds{a.raw - b.raw}; }
    friend constexpr Nanoseconds operator*(Nanoseconds a, i64 factor) { return Nanoseconds{a.raw * factor}; }
    friend constexpr Nanoseconds operator/(Nanoseconds a, i64 divisor) { return Nanoseconds{a.raw / divisor}; }
    constexpr Nanoseconds& operator+=(Nanoseconds other) {
        raw += other.raw;
        return *this;
    }
    constexpr Nanoseconds& operator-=(Nanoseconds other) {
        raw -= other.raw;
        return *this;
    }

    /// Later than every instant: "no deadline". Arithmetic on it is not meaningful.
    static constexpr Nanoseconds never() { return Nanoseconds{std::numeric_limits<i64>::max()}; }
};

constexpr Nanoseconds microseconds(i64 count) { return Nanoseconds{count * 1'000}; }
constexpr Nanoseconds milliseconds(i64 count) { return Nanoseconds{count * 1'000'000}; }
constexpr Nanoseconds seconds(i64 count) { return Nanoseconds{count * 1'000'000'000}; }

}  // namespace px
