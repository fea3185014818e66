// Configuration files of domains, as create and config-update take them.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/load_config.hpp"

#include <iostream>

#include "libxlcfg/load.hpp"
#include "libxlcfg/parser.hpp"

namespace px::xl {

std::pair<std::string, std::string> config_words(const Arguments& arguments, usize first) {
    std::string path = arguments.value('f').value_or(""), extra;
    for (usize i = first; i < arguments.words().size(); ++i) {
        if (path.empty()) path = arguments.word(i);
        else extra += arguments.word(i) + "\n";
    }
    return {path, extra};
}

std::optional<xlcfg::DomainConfig> load_config(const std::string& path, const std::string& extra) {
    xlcfg::Sources sources;
    xlcfg::Diagnostics diagnostics;
    xlcfg::Document document;
    if (auto text = xlcfg::read_file(path, diagnostics)) {
        if (const auto base = sources.add(path, std::move(*text))) xlcfg::parse(sources, base, document, diagnostics);
        else diagnostics.error({}, path + " is too large for a configuration");
        if (const auto base = sources.add("command line", extra)) xlcfg::parse(sources, base, document, diagnostics);
        else diagnostics.error({}, "the settings of the command line are too large for a configuration");
    }
    xlcfg::DomainConfig config;
    if (diagnostics.errors() == 0) config = xlcfg::interpret(document, diagnostics);
    std::cerr << report(diagnostics, sources, path);
    if (diagnostics.errors()) return std::nullopt;
    return config;
}

}  // namespace px::xl
