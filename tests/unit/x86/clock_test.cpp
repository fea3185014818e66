// Ticks to nanoseconds, and the CMOS clock's date.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "arch/x86/machine/cmos_date.hpp"
#include "arch/x86/machine/tick_scale.hpp"

namespace px::arch {
namespace {

TEST(TickScale, UsesAllBitsOfTheMultiplier) {
    for (const u64 khz : {1u, 14'318u, 100'000u, 999'999u, 1'000'000u, 1'000'001u, 2'000'000u, 2'000'001u, 3'792'879u, 5'800'000u}) {
        EXPECT_GE(make_scale(khz).multiplier, 1u << 31) << khz;
    }
}
TEST(TickScale, IsRightToAMillionth) {
    std::mt19937_64 random(3);
    for (unsigned round = 0; round < 10000; ++round) {
        const u64 khz = 100'000 + random() % 6'000'000;
        const u64 ticks = random() % (khz * 1000 * 3600);  // up to an hour
        const double exact = static_cast<double>(ticks) * 1e6 / static_cast<double>(khz);
        ASSERT_NEAR(static_cast<double>(scale_ticks(ticks, make_scale(khz))), exact, exact * 1e-6 + 4) << khz << " kHz";
    }
}
TEST(TickScale, ManyTicksKeepTheirHighBits) {
    // A century at 4 GHz.
    const u64 ticks = u64{4'000'000'000} * 86'400 * 36'500;
    EXPECT_NEAR(static_cast<double>(scale_ticks(ticks, make_scale(4'000'000))), 86'400e9 * 36'500, 1e12);
}
TEST(TickScale, NeverStepsBack) {
    for (const u64 khz : {800'000u, 2'400'000u, 3'792'879u}) {
        u64 last = 0;
        for (u64 ticks = u64{1} << 40; ticks < (u64{1} << 40) + 10000; ++ticks) {
            const u64 now = scale_ticks(ticks, make_scale(khz));
            ASSERT_GE(now, last);
            last = now;
        }
    }
}

constexpr u8 bcd(int value) { return static_cast<u8>(value / 10 << 4 | value % 10); }
constexpr u8 binary_format = 4, hours_24 = 2;

/// As the C library counts.
u64 expected(int year, int month, int day, int hour, int minute, int second) {
    std::tm time{};
    time.tm_year = year - 1900;
    time.tm_mon = month - 1;
    time.tm_mday = day;
    time.tm_hour = hour;
    time.tm_min = minute;
    time.tm_sec = second;
    return static_cast<u64>(timegm(&time));
}

TEST(CmosDate, EveryDayOfTwoCenturiesInEveryFormat) {
    const int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int year = 1970; year < 2170; ++year) {
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; ++month) {
            for (int day = 1; day <= days_of[month - 1] + (month == 2 && leap); ++day) {
                const int hour = day % 24, minute = month * 4, second = year % 60;
                const u64 want = expected(year, month, day, hour, minute, second);
                const auto check = [&](auto number, u8 format) {
                    int shown = hour;
                    bool afternoon = false;
                    if ((format & hours_24) == 0) {
                        afternoon = hour >= 12;
                        shown = hour % 12 == 0 ? 12 : hour % 12;
                    }
                    const CmosTime time{number(second),     number(minute), static_cast<u8>(number(shown) | (afternoon ? 0x80 : 0)),
                                        number(day),        number(month),  number(year % 100),
                                        number(year / 100), format};
                    ASSERT_EQ(seconds_since_1970(time), want) << year << "-" << month << "-" << day << " format " << int{format};
                };
                const auto plain = [](int value) { return static_cast<u8>(value); };
                check(bcd, hours_24);
                check(bcd, 0);
                check(plain, binary_format | hours_24);
                check(plain, binary_format);
            }
        }
    }
}
TEST(CmosDate, WithoutACenturyItIsThisOne) {
    EXPECT_EQ(seconds_since_1970({0, 0, 0, bcd(1), bcd(2), bcd(26), 0, hours_24}), expected(2026, 2, 1, 0, 0, 0));
    EXPECT_EQ(seconds_since_1970({0, 0, 0, 1, 2, 26, 0, binary_format | hours_24}), expected(2026, 2, 1, 0, 0, 0));
}
TEST(CmosDate, NonsenseIsNoDate) {
    EXPECT_EQ(seconds_since_1970({0, 0, 0, 0, 0, 0, 0, 0}), 0u);
    EXPECT_EQ(seconds_since_1970({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 0u);
    EXPECT_EQ(seconds_since_1970({0, 0, 0, bcd(1), bcd(13), bcd(26), bcd(20), hours_24}), 0u);
    EXPECT_EQ(seconds_since_1970({0, 0, bcd(24), bcd(1), bcd(1), bcd(26), bcd(20), hours_24}), 0u);
    EXPECT_EQ(seconds_since_1970({0, 0, 0, bcd(1), bcd(1), bcd(69), bcd(19), hours_24}), 0u) << "before there was time";
}

}  // namespace
}  // namespace px::arch
