// Specification strings: KEY=VALUE,… within one string, read by a table of rows.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

/// One part of a specification string, without the blanks around it. A bare word has no value.
struct Part {
    Value key;
    std::optional<Value> value;
};

/// The parts between commas; empty ones are left out.
std::vector<Part> split_spec(const Value& text);
/// The parts between `separator`, empty ones included, trimmed.
std::vector<Value> split(const Value& text, char separator);
/// One part: at its first '=', if there is one, it divides.
Part divide(const Value& text);

/// Reports a key or a bare word that `what` ("a disk") doesn't know.
void unknown_part(const Part& part, std::string_view what, const std::vector<RowView>& rows, Diagnostics& out);
/// Reports a key that is given a second time; false then.
bool first_time(const Part& part, std::vector<std::string>& seen, Diagnostics& out);

/// Reports a key that is refused or deprecated, or that is a flag given a value or the reverse; false: don't set it.
bool check_part(const Part& part, const RowView& row, Diagnostics& out);

/// Sets the member that the part's key names; false: there is none. An empty value leaves the default.
template <class Owner>
bool set_part(Owner& owner, const Part& part, std::span<const Row<Owner>> rows, Diagnostics& out) {
    for (const Row<Owner>& row : rows) {
        const bool off = !part.value && !part.key.text.empty() && row.details.off == part.key.text;
        if (row.name != part.key.text && !off) continue;
        if (!check_part(part, row.view(), out)) return true;
        Value value = part.value.value_or(part.key);
        if (!part.value) value.text = off ? "0" : "1";
        if (!value.text.empty()) row.access.set(owner, value, row.view(), out);
        return true;
    }
    return false;
}

/// Reads a string of the plain form into `owner`; false when anything in it was wrong.
template <class Owner>
bool read_rows(Owner& owner, const Value& text, std::string_view what, Diagnostics& out) {
    if (!check_text(text, what, out)) return false;
    const std::size_t errors = out.errors();
    const std::span<const Row<Owner>> rows = rows_of(static_cast<const Owner*>(nullptr));
    std::vector<std::string> seen;
    for (const Part& part : split_spec(text))
        if (first_time(part, seen, out) && !set_part(owner, part, rows, out)) unknown_part(part, what, views(rows), out);
    return out.errors() == errors;
}

}  // namespace px::xlcfg
