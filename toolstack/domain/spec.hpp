// From a configuration to what the builder makes.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/config.hpp"
#include "toolstack/builder/guest_spec.hpp"

namespace px::domain {

/// Error: what the configuration asks for can't be had yet; the sentence names the key.
call::Outcome<> check_supported(const xlcfg::DomainConfig& config);

/// What the guest gets less than its configuration asks for, a sentence each: no reason not to make it.
std::vector<std::string> reservations(const xlcfg::DomainConfig& config);

/// `uuid` is used when the configuration has none.
builder::GuestSpec guest_spec(const xlcfg::DomainConfig& config, const control::Handle& uuid);

}  // namespace px::domain
