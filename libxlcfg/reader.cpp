// Readers of plain values.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/reader.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "libxlcfg/row.hpp"
#include "libxlcfg/suggest.hpp"

namespace px::xlcfg {

namespace {

bool same_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
    });
}

std::string range_of(const Details& details) {
    const std::string unit = details.unit.empty() ? "" : " " + std::string(details.unit);
    if (details.max == std::numeric_limits<std::int64_t>::max()) return "at least " + std::to_string(details.min) + unit;
    return std::to_string(details.min) + " to " + std::to_string(details.max) + unit;
}

}  // namespace

std::optional<std::uint64_t> parse_digits(std::string_view text, unsigned base) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, static_cast<int>(base));
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    bool negative = false;
    if (text.starts_with('-') || text.starts_with('+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    unsigned base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.front() == '0') {
        base = 8;
        text.remove_prefix(1);
    }
    const std::optional<std::uint64_t> magnitude = parse_digits(text, base);
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!magnitude || *magnitude > most) return std::nullopt;
    return negative ? -static_cast<std::int64_t>(*magnitude) : static_cast<std::int64_t>(*magnitude);
}

std::string quote(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string enumerate(Choices choices) {
    std::string all;
    for (std::size_t at = 0; at < choices.size(); ++at) {
        if (at > 0) all += at + 1 == choices.size() ? " or " : ", ";
        all += choices[at];
    }
    return all;
}

std::string did_you_mean(std::string_view word, Choices choices, std::string otherwise) {
    const std::string_view near = closest(word, choices);
    return near.empty() ? std::move(otherwise) : "did you mean " + quote(near) + "?";
}

bool check_text(const Value& value, std::string_view what, Diagnostics& out) {
    if (!value.is_list()) return true;
    out.error(value.span, std::string(what) + " takes one value, not a list", "leave out the brackets");
    return false;
}

std::optional<std::string> read_text(const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_text(value, quote(row.name), out)) return std::nullopt;
    return value.text;
}

std::optional<std::int64_t> read_number(const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_text(value, quote(row.name), out)) return std::nullopt;
    if (value.joined) {
        out.error(value.span, quote(row.name) + " takes a number, and '+=' joins text", "write the sum");
        return std::nullopt;
    }
    const std::optional<std::int64_t> number = parse_number(value.text);
    if (!number) {
        out.error(value.span, quote(row.name) + " takes a number" +
                                  (row.details->unit.empty() ? "" : " of " + std::string(row.details->unit)) + ", not " +
                                  quote(value.text));
        return std::nullopt;
    }
    if (*number < row.details->min || *number > row.details->max) {
        out.error(value.span, quote(row.name) + " is out of range: " + value.text, "it must be " + range_of(*row.details));
        return std::nullopt;
    }
    return number;
}

std::optional<bool> read_boolean(const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_text(value, quote(row.name), out)) return std::nullopt;
    const std::optional<std::int64_t> number = value.joined ? std::nullopt : parse_number(value.text);
    if (!number) {
        out.error(value.span, quote(row.name) + " takes a boolean, not " + quote(value.text), "write 0 or 1");
        return std::nullopt;
    }
    return *number != 0;
}

std::optional<std::size_t> read_choice(const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_text(value, quote(row.name), out)) return std::nullopt;
    for (std::size_t at = 0; at < row.choices.size(); ++at)
        if (same_letters(value.text, row.choices[at])) return at;
    if (const auto number = parse_number(value.text);
        row.details->numeric && number && *number >= 0 && *number < static_cast<std::int64_t>(row.choices.size())) {
        const auto at = static_cast<std::size_t>(*number);
        out.warning(value.span, "a number for " + quote(row.name) + " is deprecated", "write \"" + std::string(row.choices[at]) + '"');
        return at;
    }
    out.error(value.span, quote(row.name) + " can't be " + quote(value.text),
              did_you_mean(value.text, row.choices, "it is one of: " + enumerate(row.choices)));
    return std::nullopt;
}

bool check_list(const Value& value, const RowView& row, Diagnostics& out) {
    if (value.is_list()) return true;
    if (row.details->single) return true;
    out.error(value.span, quote(row.name) + " takes a list", "put it in brackets: [ … ]");
    return false;
}

std::optional<std::vector<std::string>> read_texts(const Value& value, const RowView& row, Diagnostics& out) {
    if (!check_list(value, row, out)) return std::nullopt;
    std::vector<std::string> all;
    if (!value.is_list()) {
        out.warning(value.span, "one string for " + quote(row.name) + " is deprecated", "write a list: [ … ]");
        if (!row.details->split) return std::vector{value.text};
        for (std::size_t at = 0; (at = value.text.find_first_not_of(" \t", at)) != std::string::npos;) {
            const std::size_t end = std::min(value.text.find_first_of(" \t", at), value.text.size());
            all.push_back(value.text.substr(at, end - at));
            at = end;
        }
        return all;
    }
    for (const Value& element : value.items)
        if (check_text(element, "an element of " + quote(row.name), out)) all.push_back(element.text);
    return all;
}

}  // namespace px::xlcfg
