// Numbers as users write them: decimal, 0x hexadecimal, 0 octal.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px {

constexpr unsigned not_a_digit = 99;

constexpr unsigned digit_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return not_a_digit;
}

/// Takes the longest unsigned number off the front of `rest`. Nothing, and `rest` untouched, when there is no
/// digit or the number exceeds 64 bits.
constexpr std::optional<u64> take_unsigned(std::string_view& rest) {
    std::string_view text = rest;
    unsigned base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && digit_value(text[2]) < 16) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0' && digit_value(text[1]) < 10) {
        base = 8;
        text.remove_prefix(1);
    }
    u64 value = 0;
    bool any = false;
    while (!text.empty() && digit_value(text.front()) < base) {
        const unsigned digit = digit_value(text.front());
        if (value > (~u64{0} - digit) / base) return std::nullopt;
        value = value * base + digit;
        any = true;
        text.remove_prefix(1);
    }
    if (!any) return std::nullopt;
    rest = text;
    return value;
}

/// The whole text as one unsigned number of at most `limit`.
constexpr std::optional<u64> parse_unsigned(std::string_view text, u64 limit = ~u64{0}) {
    const auto value = take_unsigned(text);
    if (!value || !text.empty() || *value > limit) return std::nullopt;
    return value;
}

/// Splits `rest` at its first `separator`: returns what stands before it and leaves what stands after it.
constexpr std::string_view take_until(std::string_view& rest, char separator) {
    usize length = 0;
    while (length < rest.size() && rest[length] != separator) ++length;
    const std::string_view head{rest.data(), length};
    rest.remove_prefix(length < rest.size() ? length + 1 : length);
    return head;
}

}  // namespace px
