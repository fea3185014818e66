// The configuration of a running guest, kept in a file: what `xl list -l` shows, and what the guest starts from again.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "libxlcfg/config.hpp"
#include "toolstack/call/error.hpp"

namespace px::domain {

/// Where it is, as JSON. `uuid` is the guest's.
std::string config_path(DomId domain, const std::string& uuid);
/// Replaces the file in one step.
call::Outcome<> keep_config(const xlcfg::DomainConfig& config, DomId domain, const std::string& uuid);
/// Nothing when there is none: the guest is another toolstack's. Error: it can't be understood.
call::Outcome<std::optional<xlcfg::DomainConfig>> kept_config(DomId domain, const std::string& uuid);

}  // namespace px::domain
