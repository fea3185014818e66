// Numbers and amounts of memory as users write them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/xl/command.hpp"

namespace px::xl {

/// A decimal number, at most `most`. `what` stands in the error.
Outcome<u64> parse_number(const std::string& text, u64 most, const char* what);
/// KiB, from a number with a unit (b, k, m, g, t); MiB without one.
Outcome<u64> parse_memory(const std::string& text);

}  // namespace px::xl
