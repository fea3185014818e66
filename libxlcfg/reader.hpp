// Readers of plain values: text, numbers, booleans, choices. Each reports what is wrong and then returns nothing.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxlcfg/diagnostic.hpp"
#include "libxlcfg/value.hpp"

namespace px::xlcfg {

struct RowView;

using Choices = std::span<const std::string_view>;

/// Digits in base 10, 8 (after 0) or 16 (after 0x), perhaps with a sign; nothing else around them.
std::optional<std::int64_t> parse_number(std::string_view text);
/// The same without prefix, in the given base.
std::optional<std::uint64_t> parse_digits(std::string_view text, unsigned base);

std::optional<std::string> read_text(const Value& value, const RowView& row, Diagnostics& out);
std::optional<std::int64_t> read_number(const Value& value, const RowView& row, Diagnostics& out);
std::optional<bool> read_boolean(const Value& value, const RowView& row, Diagnostics& out);
/// The index of the value in the row's choices; the case of letters doesn't matter, as in the reference.
std::optional<std::size_t> read_choice(const Value& value, const RowView& row, Diagnostics& out);
std::optional<std::vector<std::string>> read_texts(const Value& value, const RowView& row, Diagnostics& out);
/// Whether the value is a list, or may stand for one.
bool check_list(const Value& value, const RowView& row, Diagnostics& out);
/// Whether the value is text (or a number); a list is reported as wrong for `what`.
bool check_text(const Value& value, std::string_view what, Diagnostics& out);

/// "a, b or c"
std::string enumerate(Choices choices);
/// "did you mean 'x'?", or `otherwise` when no choice is near.
std::string did_you_mean(std::string_view word, Choices choices, std::string otherwise);
std::string quote(std::string_view text);

}  // namespace px::xlcfg
