// The key reference of xl.cfg(5).
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/manual.hpp"

#include "libxlcfg/schema.hpp"

namespace px::xlcfg {

namespace {

// Text that roff takes literally: hyphens stay hyphens, and no line looks like a request.
std::string roff(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
        if (c == '-') out += "\\-";
        else if (c == '\\') out += "\\e";
        else out += c;
    }
    return out;
}

std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string form_of(const RowView& row) {
    const Details& details = *row.details;
    std::string element = details.form.empty() ? "" : italic(details.form);
    switch (row.shape) {
    case Shape::boolean: return details.flag ? "" : italic("BOOLEAN");
    case Shape::number: return italic("NUMBER");
    case Shape::text: return element.empty() ? italic("STRING") : element;
    case Shape::texts: return "[ " + (element.empty() ? italic("STRING") : element) + ", ... ]";
    case Shape::items: return "[ " + element + ", ... ]";
    case Shape::item: return element.empty() ? italic("KEY=VALUE,...") : element;
    case Shape::choice: {
        std::string all;
        for (std::string_view choice : row.choices) all += (all.empty() ? "" : "|") + roff(choice);
        return all;
    }
    }
    return {};
}

std::string guests_of(unsigned guests) {
    if (guests == any_guest) return {};
    std::string all;
    for (const auto& [mask, name] : {std::pair{pv_guest, "PV"}, {pvh_guest, "PVH"}, {hvm_guest, "HVM"}})
        if ((guests & mask) != 0) all += (all.empty() ? "" : ", ") + std::string(name);
    return all + " only. ";
}

std::string entry(const RowView& row) {
    const Details& details = *row.details;
    const std::string form = form_of(row);
    std::string text = ".TP\n\\fB" + roff(row.name) + (form.empty() ? "" : "=\\fR" + form) + "\\fR\n";
    std::string body = guests_of(details.guests) + roff(details.doc);
    if (!details.off.empty()) body += " The opposite is \\fB" + roff(details.off) + "\\fR.";
    if (!details.unit.empty()) body += " In " + roff(details.unit) + '.';
    if (details.max != std::numeric_limits<std::int64_t>::max())
        body += " From " + roff(std::to_string(details.min)) + " to " + std::to_string(details.max) + '.';
    if (!details.fallback.empty()) body += " Default: " + roff(details.fallback) + '.';
    if (!details.since.empty()) body += " Since Xen " + roff(details.since) + '.';
    if (!details.replaced_by.empty()) body += " Deprecated: use \\fB" + roff(details.replaced_by) + "\\fR.";
    if (!details.refused.empty()) body += " Refused: " + roff(details.refused) + '.';
    text += body + '\n';
    if (!row.spec) return text;
    text += ".RS\n";
    for (const RowView& key : row.spec()) text += entry(key);
    return text + ".RE\n";
}

}  // namespace

std::string manual_keys() {
    std::string text;
    for (const KeyGroup& group : key_groups()) {
        text += ".SS " + roff(group.title) + '\n';
        for (const KeyRow& row : group.rows) text += entry(row.view());
    }
    return text;
}

}  // namespace px::xlcfg
