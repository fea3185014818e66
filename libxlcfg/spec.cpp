// Specification strings: splitting and common errors.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/spec.hpp"

#include <algorithm>

namespace px::xlcfg {

std::vector<Value> split(const Value& text, char separator) {
    std::vector<Value> parts;
    for (std::size_t at = 0;;) {
        const std::size_t end = text.text.find(separator, at);
        parts.push_back(text.part(at, end == std::string::npos ? end : end - at).trimmed());
        if (end == std::string::npos) return parts;
        at = end + 1;
    }
}

Part divide(const Value& text) {
    const std::size_t equals = text.text.find('=');
    if (equals == std::string::npos) return {text, std::nullopt};
    return {text.part(0, equals).trimmed(), text.part(equals + 1).trimmed()};
}

std::vector<Part> split_spec(const Value& text) {
    std::vector<Part> parts;
    for (const Value& part : split(text, ','))
        if (!part.text.empty()) parts.push_back(divide(part));
    return parts;
}

bool first_time(const Part& part, std::vector<std::string>& seen, Diagnostics& out) {
    if (std::find(seen.begin(), seen.end(), part.key.text) != seen.end()) {
        out.error(part.key.span, quote(part.key.text) + " is given twice");
        return false;
    }
    seen.push_back(part.key.text);
    return true;
}

bool check_part(const Part& part, const RowView& row, Diagnostics& out) {
    const Details& details = *row.details;
    const std::string name(row.name);
    if (!details.refused.empty() && part.key.text == details.off) return false;  // turning it off is no request
    if (!details.refused.empty()) {
        out.error(part.key.span, quote(name) + " is refused: " + std::string(details.refused));
        return false;
    }
    if (!details.replaced_by.empty()) out.warning(part.key.span, quote(name) + " is deprecated", "use " + quote(details.replaced_by));
    if (details.flag && part.value) {
        out.error(part.value->span, quote(name) + " is a flag and takes no value",
                  "write " + name + (details.off.empty() ? "" : " or " + std::string(details.off)));
        return false;
    }
    if (!details.flag && !part.value) {
        out.error(part.key.span, quote(name) + " needs a value", "write " + name + "=…");
        return false;
    }
    return true;
}

void unknown_part(const Part& part, std::string_view what, const std::vector<RowView>& rows, Diagnostics& out) {
    std::vector<std::string_view> names;
    for (const RowView& row : rows)
        if (row.details->replaced_by.empty()) names.push_back(row.name);
    out.error(part.key.span, std::string(what) + " has no " + (part.value ? "key " : "flag ") + quote(part.key.text),
              did_you_mean(part.key.text, names, "it has: " + enumerate(names)));
}

}  // namespace px::xlcfg
