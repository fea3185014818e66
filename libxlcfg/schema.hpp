// The schema of xl.cfg: a row for each of the 158 keys that Xen 4.17 knows, in groups as the manual has them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "libxlcfg/config.hpp"
#include "libxlcfg/row.hpp"

namespace px::xlcfg {

using KeyRow = Row<DomainConfig>;

/// The groups; each stands in a file of its own (schema_*.cpp).
std::span<const KeyRow> domain_keys();
std::span<const KeyRow> platform_keys();
std::span<const KeyRow> device_keys();
std::span<const KeyRow> display_keys();
std::span<const KeyRow> device_model_keys();

struct KeyGroup {
    std::string_view title;
    std::span<const KeyRow> rows;
};
std::span<const KeyGroup> key_groups();

/// Null when Xen 4.17 has no such key.
const KeyRow* find_key(std::string_view name);
/// The keys that a suggestion may name: neither deprecated nor refused.
std::span<const std::string_view> suggested_keys();

}  // namespace px::xlcfg
