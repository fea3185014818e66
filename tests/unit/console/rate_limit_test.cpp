// The token bucket of guest-triggered lines.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/console/rate_limit.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace px {
namespace {

constexpr u64 interval = RateLimit::interval, burst = RateLimit::burst;

u64 allowed_at(RateLimit& limit, u64 now, u64 attempts = 1000) {
    u64 count = 0;
    for (u64 i = 0; i < attempts; ++i) count += limit.allow(now);
    return count;
}

TEST(RateLimit, ABurstThenASteadyRate) {
    RateLimit limit;
    EXPECT_EQ(allowed_at(limit, 0), burst);
    EXPECT_EQ(allowed_at(limit, interval - 1), 0u);
    EXPECT_EQ(allowed_at(limit, interval), 1u);
    EXPECT_EQ(allowed_at(limit, 4 * interval), 3u);
}
TEST(RateLimit, AQuietTimeFillsItToTheBurstAndNoFurther) {
    RateLimit limit;
    EXPECT_EQ(allowed_at(limit, 0), burst);
    EXPECT_EQ(allowed_at(limit, 1000 * interval), burst);
}
TEST(RateLimit, LateInTheLifeOfAHost) {
    RateLimit limit;
    EXPECT_EQ(allowed_at(limit, u64{1} << 62), burst);
}
TEST(RateLimit, ManyCpusShareIt) {
    RateLimit limit;
    std::atomic<u64> count{0};
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back([&] { count += allowed_at(limit, 7 * interval, 10000); });
    threads.clear();
    EXPECT_EQ(count, burst);
}

}  // namespace
}  // namespace px
