// What the tests of the xl.cfg library share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "libxlcfg/json.hpp"

namespace px::xlcfg {

/// One text, loaded, with all that came of it.
struct Loaded {
    explicit Loaded(std::string text, const Options& options = {}) : config(load(sources, "t.cfg", std::move(text), out, options)) {}

    /// All diagnostics as text, for the message of a failed test.
    std::string complaints() const {
        std::string all;
        for (const Diagnostic& diagnostic : out.all()) all += format(diagnostic, sources);
        return all;
    }

    Sources sources;
    Diagnostics out;
    DomainConfig config;
};

/// A PVH guest that has everything it must have.
inline std::string minimal(std::string_view more) { return "name='t'; type='pvh'; kernel='/k'\n" + std::string(more); }

}  // namespace px::xlcfg
