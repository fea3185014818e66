// UUIDs of domains.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "toolstack/control/domain.hpp"

namespace px::domain {

/// "7f3c0a52-1d2e-4c0e-9a7b-2f5f0f6a1b11".
std::string to_string(const control::Handle& uuid);
inline std::string to_string(const abi::DomainHandle& uuid) { return to_string(std::to_array(uuid)); }
/// A new one (version 4).
control::Handle random_uuid();

}  // namespace px::domain
