// What the hypervisor says of the domains there are.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "toolstack/call/privcmd.hpp"

namespace px::call {

/// `domain` as it is, or nothing when there is none of that number.
Outcome<std::optional<abi::DomctlGetdomaininfo>> domain_info(Privcmd& privcmd, DomId domain);

/// All domains from `first` on, by number.
Outcome<std::vector<abi::DomctlGetdomaininfo>> list_domains(Privcmd& privcmd, DomId first = DomId{0});

}  // namespace px::call
