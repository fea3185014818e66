// xl check and xl config: configuration files without a hypervisor.
//
// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "libxlcfg/json.hpp"
#include "toolstack/xl/format.hpp"

namespace px::xl {

namespace {

Outcome<int> check(const Arguments& arguments) { return xlcfg::check(arguments.words(), std::cout); }

Outcome<int> config(const Arguments& arguments) {
    if (arguments.has('S')) {
        print(xlcfg::json_schema());
        return exit_success;
    }
    if (arguments.words().empty()) return Err{Error{EINVAL, "which file?"}};
    const std::string& path = arguments.word(0);
    xlcfg::Sources sources;
    xlcfg::Diagnostics diagnostics([&](const xlcfg::Diagnostic& diagnostic) { std::cerr << format(diagnostic, sources); });
    std::optional<std::string> text = xlcfg::read_file(path, diagnostics);
    if (text && arguments.has('x')) {
        const Json json = Json::parse(*text, nullptr, false);
        if (json.is_discarded()) return Err{Error{EINVAL, path + " is no JSON"}};
        text = xlcfg::to_xlcfg(json, diagnostics);
        if (text) std::cout << *text;
    } else if (text) {
        const xlcfg::Options options{.unknown_keys = xlcfg::Severity::error, .allow_refused = true};
        const auto config = xlcfg::load(sources, path, std::move(*text), diagnostics, options);
        if (diagnostics.errors() == 0) print(xlcfg::to_json(config));
    }
    return diagnostics.errors() == 0 ? exit_success : exit_failure;
}

constexpr Option config_options[] = {
    {'j', "json", "", "print the configuration as JSON (the default)"},
    {'x', "from-json", "", "the file is JSON: print it in the language of xl.cfg"},
    {'S', "schema", "", "print the JSON schema"},
};

}  // namespace

const Command check_command{"check", "FILE…", "Says what is wrong with configuration files", {}, 1, any_number, check};
const Command config_command{"config", "[FILE]", "Translates a configuration file to JSON and back", config_options, 0, 1, config};

}  // namespace px::xl
