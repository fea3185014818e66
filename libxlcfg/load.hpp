// Loading: from text, by way of the schema, to a checked DomainConfig.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <optional>
#include <span>
#include <string>

#include "libxlcfg/config.hpp"
#include "libxlcfg/diagnostic.hpp"
#include "libxlcfg/value.hpp"

namespace px::xlcfg {

struct Options {
    /// The reference ignores a key that it doesn't know; here that is an error unless a warning is asked for.
    Severity unknown_keys = Severity::error;
    /// Read keys that the toolstack refuses without complaint (to look at a configuration, not to run it).
    bool allow_refused = false;
};

/// Gives the document its meaning. Diagnostics tell whether the result may be used: it may when there are no errors.
DomainConfig interpret(const Document& document, Diagnostics& diagnostics, const Options& options = {});

/// The rules between keys (interpret() applies them): what is mandatory, what contradicts what.
void check_rules(const DomainConfig& config, Span document, Diagnostics& diagnostics);

/// parse() and interpret() of one text.
DomainConfig load(Sources& sources, std::string name, std::string text, Diagnostics& diagnostics, const Options& options = {});

/// The contents of a file, "-" being standard input; nothing (reported) when it can't be read or is too large.
std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics);

/// `xl check FILE…`: prints each file's diagnostics, and a line for each file that is fine. Returns the exit code: 0 when
/// no file has an error.
int check(std::span<const std::string> files, std::ostream& out, const Options& options = {});

}  // namespace px::xlcfg
