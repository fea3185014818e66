// Diagnostics: what is wrong with a configuration, where, and what was probably meant.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libxlcfg/source.hpp"

namespace px::xlcfg {

enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    Span span;
    std::string message;
    std::string hint;  ///< what to do instead; may be empty
};

/// Collects diagnostics in the order of discovery, and hands each one to a sink if there is one. Errors never stop the
/// reading: a user mends a file once, not mistake by mistake.
class Diagnostics {
public:
    using Sink = std::function<void(const Diagnostic&)>;

    /// After this many diagnostics the rest is only counted, and readers stop: a binary file makes thousands.
    static constexpr std::size_t max_kept = 200;

    Diagnostics() = default;
    explicit Diagnostics(Sink sink) : sink_(std::move(sink)) {}

    void error(Span span, std::string message, std::string hint = {}) { add({Severity::error, span, std::move(message), std::move(hint)}); }
    void warning(Span span, std::string message, std::string hint = {}) {
        add({Severity::warning, span, std::move(message), std::move(hint)});
    }
    void add(Diagnostic diagnostic);

    std::size_t errors() const { return errors_; }
    std::size_t warnings() const { return warnings_; }
    bool full() const { return kept_.size() >= max_kept; }
    const std::vector<Diagnostic>& all() const { return kept_; }

private:
    Sink sink_;
    std::vector<Diagnostic> kept_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

/// The text for people, ended by a newline:
///
///     guest.cfg:3:1: error: unknown key 'initrd'
///         3 | initrd = "/boot/initrd.img"
///           | ^~~~~~
///           = did you mean 'ramdisk'?
std::string format(const Diagnostic& diagnostic, const Sources& sources);

/// The same in one line: "guest.cfg:3:1: error: unknown key 'initrd'; did you mean 'ramdisk'?"
std::string format_line(const Diagnostic& diagnostic, const Sources& sources);

/// What a command prints that wants a domain, not a review of its file: a single diagnostic with its line and caret;
/// several in a line each, the first few of them, and a last line that says how many errors there are in `name` and what
/// shows them all. Empty when there are none.
std::string report(const Diagnostics& diagnostics, const Sources& sources, std::string_view name);

}  // namespace px::xlcfg
