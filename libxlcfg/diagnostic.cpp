// Diagnostics: collecting and formatting.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/diagnostic.hpp"

#include <algorithm>

namespace px::xlcfg {

namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Control characters would disturb the terminal (and could hide what is wrong); they become spaces, tabs stay.
std::string printable(std::string_view line) {
    std::string shown(line);
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }, ' ');
    return shown;
}

// The marks under the line: as many characters as the span covers on this line, at least one.
std::string marks(std::string_view line, std::size_t offset, std::size_t length) {
    std::string marked;
    for (std::size_t at = 0; at < std::min(offset, line.size()); ++at)
        if (!continues_character(line[at])) marked += line[at] == '\t' ? '\t' : ' ';
    marked += '^';
    for (std::size_t at = offset + 1; at < std::min(offset + length, line.size()); ++at)
        if (!continues_character(line[at])) marked += '~';
    return marked;
}

/// How many diagnostics report() lists.
constexpr std::size_t most_reported = 10;

std::string_view name_of(Severity severity) { return severity == Severity::error ? "error: " : "warning: "; }

/// "guest.cfg:3:1: error: …", without the end of the line.
std::string headline(const Diagnostic& diagnostic, const Place& place) {
    std::string text;
    if (place.line != 0) text = std::string(place.file) + ':' + std::to_string(place.line) + ':' + std::to_string(place.column) + ": ";
    return text.append(name_of(diagnostic.severity)) + diagnostic.message;
}

}  // namespace

void Diagnostics::add(Diagnostic diagnostic) {
    ++(diagnostic.severity == Severity::error ? errors_ : warnings_);
    if (full()) return;
    if (sink_) sink_(diagnostic);
    kept_.push_back(std::move(diagnostic));
}

std::string format(const Diagnostic& diagnostic, const Sources& sources) {
    const Place place = sources.place(diagnostic.span.begin);
    std::string out = headline(diagnostic, place) + '\n';
    if (place.line == 0) return diagnostic.hint.empty() ? out : out + "    = " + diagnostic.hint + '\n';

    std::string number = std::to_string(place.line);
    if (number.size() < 5) number.insert(0, 5 - number.size(), ' ');
    const std::string margin(number.size(), ' ');
    const std::string_view line = sources.line(diagnostic.span.begin);
    const std::string_view text = sources.text(diagnostic.span.begin);
    const std::size_t offset =
        sources.raw({diagnostic.span.begin, diagnostic.span.begin}).data() - text.data() - (line.data() - text.data());

    out += number + " | " + printable(line) + '\n';
    out += margin + " | " + marks(line, offset, diagnostic.span.end - diagnostic.span.begin) + '\n';
    if (!diagnostic.hint.empty()) out += margin + " = " + diagnostic.hint + '\n';
    return out;
}

std::string format_line(const Diagnostic& diagnostic, const Sources& sources) {
    const std::string text = headline(diagnostic, sources.place(diagnostic.span.begin));
    return (diagnostic.hint.empty() ? text : text + "; " + diagnostic.hint) + '\n';
}

std::string report(const Diagnostics& diagnostics, const Sources& sources, std::string_view name) {
    const std::vector<Diagnostic>& all = diagnostics.all();
    if (all.size() == 1) return format(all.front(), sources);
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), most_reported); ++i) text += format_line(all[i], sources);
    if (diagnostics.errors() < 2) return text;
    return text + std::to_string(diagnostics.errors()) + " errors; 'xl check " + std::string(name) + "' shows each in its line\n";
}

}  // namespace px::xlcfg
