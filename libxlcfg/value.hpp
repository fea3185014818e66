// The values of a configuration file, each with the place in the source it was written at.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libxlcfg/source.hpp"

namespace px::xlcfg {

/// A string, a number (its digits as written; what they mean depends on the key), or a list.
struct Value {
    enum class Kind { string, number, list };

    Kind kind = Kind::string;
    Span span;                     ///< as written, quotes and brackets included
    std::string text;              ///< of a string, escapes undone; of a number, its digits
    std::vector<Position> places;  ///< of each character of `text`, in the source
    std::vector<Value> items;      ///< of a list
    bool joined = false;           ///< made by `+=`

    bool is_list() const { return kind == Kind::list; }

    /// The part of a string that starts at character `from`; its span covers just that part.
    Value part(std::size_t from, std::size_t count = std::string::npos) const {
        Value piece;
        piece.text = text.substr(from, count);
        const auto first = places.begin() + static_cast<std::ptrdiff_t>(from);
        piece.places.assign(first, first + static_cast<std::ptrdiff_t>(piece.text.size()));
        if (!piece.places.empty()) piece.span = {piece.places.front(), piece.places.back() + 1};
        else if (from < places.size()) piece.span = {places[from], places[from]};
        else piece.span = places.empty() ? span : Span{places.back() + 1, places.back() + 1};
        piece.joined = joined;
        return piece;
    }

    /// part() without the blanks around it.
    Value trimmed() const {
        constexpr std::string_view blanks = " \t\r\n";
        const auto first = text.find_first_not_of(blanks);
        if (first == std::string::npos) return part(0, 0);
        return part(first, text.find_last_not_of(blanks) + 1 - first);
    }
};

/// One key with its value; `+=` and repetition are already resolved.
struct Setting {
    std::string key;
    Span key_span;
    Value value;
};

/// What a configuration says, before anything knows what the keys mean.
struct Document {
    std::vector<Setting> settings;  ///< in the order of first appearance, each key once

    const Setting* find(std::string_view key) const {
        for (const Setting& setting : settings)
            if (setting.key == key) return &setting;
        return nullptr;
    }
    Setting* find(std::string_view key) { return const_cast<Setting*>(std::as_const(*this).find(key)); }
};

}  // namespace px::xlcfg
