// The TSC's frequency, measured against a clock of known rate.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>

#include "hypervisor/base/result.hpp"

namespace px {

/// A counter of known rate: Hpet, PmTimer, Pit.
template <class T>
concept ReferenceClock = requires(T& clock, const T& fixed) {
    { clock.read() } -> std::same_as<u64>;       ///< counts up, modulo mask() + 1
    { fixed.mask() } -> std::same_as<u64>;       ///< 2^n - 1
    { fixed.period_fs() } -> std::same_as<u64>;  ///< femtoseconds per tick
};

namespace calibration {

inline constexpr u64 window_ps = 10'000'000'000;  ///< 10 ms: below half a wrap of the PIT
inline constexpr usize samples = 5;
inline constexpr unsigned tries_per_edge = 8;
inline constexpr u32 stall_limit = 1'000'000;  ///< reads without a tick after which the clock counts as stopped
inline constexpr u64 tolerance = 1000;         ///< samples agree when within 1/1000 of their median

/// The reference and the TSC at one moment.
struct Edge {
    u64 reference;
    u64 tsc;
    u64 width;  ///< TSC cycles between the reads around the reference: how sharp the moment is
};

/// The sharpest of several readings, so that an SMI or a preempted emulator rarely counts.
template <ReferenceClock Clock, class ReadTsc>
Result<Edge> read_edge(Clock& clock, ReadTsc& read_tsc) {
    Edge best{0, 0, ~u64{0}};
    for (unsigned attempt = 0; attempt < tries_per_edge; ++attempt) {
        const u64 before = read_tsc();
        const u64 reference = clock.read();
        const u64 after = read_tsc();
        REQUIRE(after >= before, erange);
        if (after - before < best.width) best = {reference, before + (after - before) / 2, after - before};
    }
    return best;
}

/// One window: kHz.
template <ReferenceClock Clock, class ReadTsc>
Result<u64> sample(Clock& clock, ReadTsc& read_tsc) {
    const u64 window_ticks = window_ps * 1000 / clock.period_fs();
    const Edge start = TRY(read_edge(clock, read_tsc));
    u64 last = 0;
    for (u32 stalled = 0;;) {
        const u64 elapsed = (clock.read() - start.reference) & clock.mask();
        if (elapsed >= window_ticks) break;
        REQUIRE(elapsed >= last, erange);
        stalled = elapsed == last ? stalled + 1 : 0;
        REQUIRE(stalled < stall_limit, etimedout);
        last = elapsed;
    }
    const Edge end = TRY(read_edge(clock, read_tsc));
    REQUIRE(end.tsc > start.tsc, erange);
    const u64 elapsed_ps = ((end.reference - start.reference) & clock.mask()) * clock.period_fs() / 1000;
    const u64 cycles = end.tsc - start.tsc;
    REQUIRE(elapsed_ps != 0 && cycles < ~u64{0} / 1'000'000'000, erange);
    return cycles * 1'000'000'000 / elapsed_ps;
}

}  // namespace calibration

/// kHz of the counter that `read_tsc()` reads: the median of five windows of 10 ms. Interrupts off; the
/// caller's CPU stays the same. Samples that a wrap, an SMI or the emulator's host spoilt are outvoted.
/// etimedout: the reference stands still. erange: it or the TSC ran backwards in most windows. eagain: fewer
/// than three windows agree to 0.1 %, so the result would be a guess.
template <ReferenceClock Clock, class ReadTsc>
requires std::same_as<std::invoke_result_t<ReadTsc&>, u64> Result<u64> calibrate_tsc(Clock& clock, ReadTsc&& read_tsc) {
    using namespace calibration;
    std::array<u64, samples> khz{};
    usize good = 0;
    Errno failure = Errno::eagain;
    for (usize i = 0; i < samples; ++i) {
        const auto measured = sample(clock, read_tsc);
        if (measured.ok()) khz[good++] = *measured;
        else if ((failure = measured.error()) == Errno::etimedout) break;
    }
    constexpr usize majority = samples / 2 + 1;
    if (good < majority) return Err{failure};
    std::sort(khz.begin(), khz.begin() + good);
    const u64 median = khz[good / 2];
    const auto agreeing = std::count_if(khz.begin(), khz.begin() + good, [&](u64 value) {
        return (value > median ? value - median : median - value) <= median / tolerance;
    });
    REQUIRE(static_cast<usize>(agreeing) >= majority && median != 0, eagain);
    return median;
}

}  // namespace px
