// Numbers and amounts of memory as users write them.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/sizes.hpp"

#include <charconv>

namespace px::xl {

Outcome<u64> parse_number(const std::string& text, u64 most, const char* what) {
    u64 number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number <= most) return number;
    return Err{Error{EINVAL, "'" + text + "' is no " + what + " (a number up to " + std::to_string(most) + ")"}};
}

Outcome<u64> parse_memory(const std::string& text) {
    u64 number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    const std::string_view unit(end, static_cast<usize>(last - end));
    constexpr u64 most_tib = 16 * 1024;  // more than any machine has, and no overflow
    const auto is = [&](char letter) { return unit.size() == 1 && (unit[0] | 0x20) == letter; };
    u64 kib_per_unit = 0;
    if (unit.empty() || is('m')) kib_per_unit = 1024;
    else if (is('k')) kib_per_unit = 1;
    else if (is('g')) kib_per_unit = 1024 * 1024;
    else if (is('t')) kib_per_unit = 1024 * 1024 * 1024;
    if (error == std::errc{} && is('b')) return number / 1024;
    if (error == std::errc{} && kib_per_unit && number <= (most_tib << 30) / kib_per_unit) return number * kib_per_unit;
    return Err{Error{EINVAL, "'" + text + "' is no amount of memory, such as 512m or 2g"}};
}

}  // namespace px::xl
