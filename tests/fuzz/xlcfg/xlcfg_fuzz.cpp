// Fuzzer of the xl.cfg library: any text loads without a fault and in bounded time, every diagnostic can be shown, and
// what loads without an error survives the way through JSON.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "libxlcfg/json.hpp"

namespace px::xlcfg {

namespace {

void demand(bool condition, const char* what, const std::string& text) {
    if (condition) return;
    std::cerr << "broken promise: " << what << "\n" << text << "\n";
    std::abort();
}

void check_places(const Sources& sources, const Diagnostics& out) {
    for (const Diagnostic& diagnostic : out.all()) {
        const std::string shown = format(diagnostic, sources);
        demand(shown.ends_with('\n'), "a diagnostic ends its line", shown);
        if (!diagnostic.span.known()) continue;
        demand(diagnostic.span.begin <= diagnostic.span.end, "a span runs forwards", shown);
        demand(sources.place(diagnostic.span.begin).line > 0, "a span lies in a source", shown);
    }
}

void run(std::string text) {
    Options options;
    options.unknown_keys = Severity::warning;
    options.allow_refused = true;
    Sources sources;
    Diagnostics out;
    const DomainConfig config = load(sources, "fuzz", text, out, options);
    check_places(sources, out);
    const Json json = to_json(config);
    if (out.errors() != 0) return;

    Diagnostics again_out;
    const DomainConfig again = from_json(sources, "again", json, again_out, options);
    // JSON is UTF-8: other bytes don't survive being dumped, but they do in memory.
    std::string complaints;
    for (const Diagnostic& diagnostic : again_out.all()) complaints += format(diagnostic, sources);
    demand(again_out.errors() == 0, "what was read can be read again", text + "\n" + complaints);
    demand(to_json(again) == json, "nothing is lost on the way through JSON", text);
    (void)config.framebuffers();
    (void)config.command_line();
}

}  // namespace

}  // namespace px::xlcfg

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    px::xlcfg::run(std::string(reinterpret_cast<const char*>(data), size));
    return 0;
}
