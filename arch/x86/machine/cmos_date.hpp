// The date and time of the CMOS clock. [motorola/mc146818]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// The registers as read, in the format that register B tells.
struct CmosTime {
    u8 second, minute, hour, day, month, year;
    u8 century;  ///< 0: the machine has none
    u8 format;   ///< register B
    bool operator==(const CmosTime&) const = default;
};

/// Seconds since 1970 UTC; 0 for what is no date (a clock without power).
constexpr u64 seconds_since_1970(const CmosTime& time) {
    const bool binary = (time.format & 4) != 0, hours_to_24 = (time.format & 2) != 0;
    const auto number = [binary](u8 value) -> i64 { return binary ? value : (value >> 4) * 10 + (value & 15); };
    const i64 second = number(time.second), minute = number(time.minute), day = number(time.day), month = number(time.month);
    i64 hour = number(hours_to_24 ? time.hour : time.hour & 0x7f);
    if (!hours_to_24) hour = hour % 12 + ((time.hour & 0x80) != 0 ? 12 : 0);
    i64 year = (time.century != 0 ? number(time.century) : 20) * 100 + number(time.year);
    if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 || year < 1970) return 0;
    // Days since 1970 by the civil calendar, in years that begin in March: the leap day comes last.
    year -= month <= 2;
    const i64 era = year / 400, of_era = year % 400;
    const i64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const i64 days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return static_cast<u64>(((days * 24 + hour) * 60 + minute) * 60 + second);
}

}  // namespace px::arch
