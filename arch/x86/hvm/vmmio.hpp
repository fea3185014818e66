// The local APIC's page as emulated memory.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Domain;
}

namespace px::hvm {

/// Errors: enospc, eexist.
Result<> add_local_apic_region(Domain& domain);

}  // namespace px::hvm
