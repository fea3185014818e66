// Loading: applying the schema to a document.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/load.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>

#include "libxlcfg/parser.hpp"
#include "libxlcfg/schema.hpp"
#include "libxlcfg/suggest.hpp"

namespace px::xlcfg {

namespace {

void unknown_key(const Setting& setting, Diagnostics& out, Severity severity) {
    const std::string_view alias = known_alias(setting.key);
    const std::string_view near = alias.empty() ? closest(setting.key, suggested_keys()) : alias;
    out.add({severity, setting.key_span, "unknown key " + quote(setting.key),
             near.empty() ? "xl.cfg(5) lists the keys" : "did you mean " + quote(near) + "?"});
}

// A refused key that is set to what holds anyway asks for nothing.
bool asks_for_nothing(const Value& value, const Details& details) {
    if (value.is_list()) return value.items.empty();
    const std::string_view fallback = details.fallback;
    return value.text.empty() || (!fallback.empty() && value.text == fallback) || (fallback.empty() && value.text == "0");
}

void apply(DomainConfig& config, const Setting& setting, Diagnostics& out, const Options& options) {
    const KeyRow* row = find_key(setting.key);
    if (!row) return unknown_key(setting, out, options.unknown_keys);
    if (!row->details.refused.empty() && !options.allow_refused && !asks_for_nothing(setting.value, row->details))
        out.error(setting.key_span, quote(row->name) + " is refused: " + std::string(row->details.refused));
    else if (!row->details.replaced_by.empty())
        out.warning(setting.key_span, quote(row->name) + " is deprecated", "use " + quote(row->details.replaced_by));
    row->access.set(config, setting.value, row->view(), out);
}

// The reference ignores such keys without a word.
void warn_of_useless_keys(const DomainConfig& config, const Document& document, Diagnostics& out) {
    const unsigned type = 1u << static_cast<unsigned>(config.type());
    const std::string name(guest_type_names[static_cast<std::size_t>(config.type())]);
    for (const Setting& setting : document.settings)
        if (const KeyRow* row = find_key(setting.key); row && (row->details.guests & type) == 0)
            out.warning(setting.key_span, quote(setting.key) + " has no effect on a guest of type " + quote(name));
}

}  // namespace

DomainConfig interpret(const Document& document, Diagnostics& diagnostics, const Options& options) {
    DomainConfig config;
    // Deprecated keys last: they only fill what their successors leave open.
    for (const bool deprecated : {false, true})
        for (const Setting& setting : document.settings) {
            const KeyRow* row = find_key(setting.key);
            if ((row && !row->details.replaced_by.empty()) == deprecated) apply(config, setting, diagnostics, options);
        }
    warn_of_useless_keys(config, document, diagnostics);
    const Span start = document.settings.empty() ? Span{} : document.settings.front().key_span;
    check_rules(config, start, diagnostics);
    return config;
}

DomainConfig load(Sources& sources, std::string name, std::string text, Diagnostics& diagnostics, const Options& options) {
    const Position base = sources.add(name, std::move(text));
    if (base == 0) {
        diagnostics.error({}, name + " is too large for a configuration");
        return {};
    }
    Document document;
    parse(sources, base, document, diagnostics);
    return interpret(document, diagnostics, options);
}

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics) {
    std::ostringstream text;
    errno = 0;
    if (path == "-") {
        text << std::cin.rdbuf();
        return text.str();
    }
    std::ifstream file(path, std::ios::binary);
    std::string contents;
    char block[65536];
    while (file && contents.size() <= Sources::max_size) {
        file.read(block, sizeof block);
        contents.append(block, static_cast<std::size_t>(file.gcount()));
    }
    if (file.eof() && contents.size() <= Sources::max_size) return contents;
    const int reason = errno;
    diagnostics.error(
        {}, "can't read " + path + ": " +
                (contents.size() > Sources::max_size ? "it is too large for a configuration" : std::generic_category().message(reason)));
    return std::nullopt;
}

int check(std::span<const std::string> files, std::ostream& out, const Options& options) {
    int failed = 0;
    for (const std::string& file : files) {
        Sources sources;
        Diagnostics diagnostics([&](const Diagnostic& diagnostic) { out << format(diagnostic, sources); });
        if (std::optional<std::string> text = read_file(file, diagnostics))
            (void)load(sources, file, std::move(*text), diagnostics, options);
        if (diagnostics.errors() + diagnostics.warnings() > diagnostics.all().size()) out << file << ": and more; mend these first\n";
        if (diagnostics.errors() == 0) out << file << ": fine\n";
        else failed = 1;
    }
    return failed;
}

}  // namespace px::xlcfg
