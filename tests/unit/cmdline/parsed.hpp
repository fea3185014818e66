// A parsed command line and what was said about it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "hypervisor/cmdline/parse.hpp"

namespace px::cmdline {

struct Parsed : BootOptions {
    std::vector<std::string> problems;  ///< "option: reason" or "option: culprit: reason"
    std::vector<std::string> notes;

    /// `line` must outlive this.
    explicit Parsed(std::string_view line) {
        parse(line, *this, [this](const Diagnostic& diagnostic) {
            std::string text{diagnostic.option};
            if (!diagnostic.culprit.empty()) text += ": " + std::string{diagnostic.culprit};
            text += std::string{": "} + diagnostic.reason;
            (diagnostic.severity == Diagnostic::Severity::problem ? problems : notes).push_back(text);
        });
    }
    bool clean() const { return problems.empty() && notes.empty(); }
};

}  // namespace px::cmdline
