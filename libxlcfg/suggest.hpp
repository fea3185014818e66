// Suggestions for misspelt words: edit distance, and a table of the names that other tools use.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace px::xlcfg {

/// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps of
/// neighbours, each counted once.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The word of `known` that is closest to `word`, or empty when none is close enough to be a likely slip.
std::string_view closest(std::string_view word, std::span<const std::string_view> known);

/// The xl.cfg key that users of other tools mean by `word` ("initrd" is "ramdisk"), or empty.
std::string_view known_alias(std::string_view word);

}  // namespace px::xlcfg
