// Output: printf into a string, JSON, bitmaps of CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "toolstack/control/vcpus.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

using Json = nlohmann::ordered_json;

/// The option that every command has which shows something.
inline constexpr Option json_option{'\1', "json", "", "print JSON"};

/// As printf, into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// Prints `json`, indented; bytes that are no UTF-8 are replaced.
void print(const Json& json);

/// "0-3,5", "all" or "none".
std::string ranges(const control::CpuSet& cpus);

}  // namespace px::xl
