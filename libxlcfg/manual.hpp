// The key reference of xl.cfg(5), made from the schema.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace px::xlcfg {

/// Manual page source (man macros): a subsection per group, an entry per key, within each entry the keys of its
/// specification string. The page around it is the toolstack's.
std::string manual_keys();

}  // namespace px::xlcfg
