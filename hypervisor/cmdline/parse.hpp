// Parser of the hypervisor's command line.
//
// The grammar, which is the reference's with its dark corners lit:
//   - options are separated by blanks; a double quote at the start of an option or of its value keeps blanks
//   together;
//   - `name`, `no-name`, `noname` (booleans), `name=value`; in names `-` and `_` are the same;
//   - what is said last wins; lists of flags (dom0=, iommu=, …) add up, flag by flag;
//   - ` -- ` ends our options: what follows goes to dom0's command line.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/cmdline/boot_options.hpp"
#include "hypervisor/cmdline/option.hpp"

namespace px::cmdline {

/// Log as: command line: '{option}' {reason}, or with a culprit: command line: in '{option}', '{culprit}'
/// {reason}.
struct Diagnostic {
    enum class Severity : u8 { problem, note };
    Severity severity;
    std::string_view option;   ///< as written
    std::string_view culprit;  ///< the bad part of its value, or empty
    const char* reason;
};

class Diagnostics {
public:
    virtual void report(const Diagnostic& diagnostic) = 0;

protected:
    ~Diagnostics() = default;
};

/// Applies `line` to `options`. Never fails: what can't be used is reported and left out. Texts in `options`
/// point into `line`.
void parse(std::string_view line, BootOptions& options, Diagnostics& diagnostics);

/// The same with a callable for each Diagnostic.
template <class Report>
requires std::invocable<Report&, const Diagnostic&>
void parse(std::string_view line, BootOptions& options, Report report) {
    struct Adapter final : Diagnostics {
        Report& target;
        explicit Adapter(Report& to) : target(to) {}
        void report(const Diagnostic& diagnostic) override { target(diagnostic); }
    } adapter{report};
    parse(line, options, static_cast<Diagnostics&>(adapter));
}

}  // namespace px::cmdline
