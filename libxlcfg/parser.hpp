// The parser of xl.cfg: assignments, separators and lists.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/diagnostic.hpp"
#include "libxlcfg/value.hpp"

namespace px::xlcfg {

/// Lists within lists go this deep; the deepest that a key wants is two (vnuma, vsnd).
inline constexpr unsigned max_list_depth = 8;
/// A document holds this many different keys at most, known or unknown.
inline constexpr std::size_t max_settings = 1000;

/// Reads the source at `base` into `document`; the later of two sources adds to and replaces what the earlier said (so
/// does the extra text of `xl create`'s command line). Everything wrong is reported, and reading goes on after it.
///
///     file       = [ assignment ] { separator [ assignment ] }        separator = newline | ";"
///     assignment = key ( "=" | "+=" ) value                           key = [a-z][._0-9a-z]*
///     value      = string | number | "[" [ value { "," value } [ "," ] ] "]"     newlines are free within [ ]
void parse(const Sources& sources, Position base, Document& document, Diagnostics& diagnostics);

}  // namespace px::xlcfg
