// Where the hardware domain's accesses to PCI arrive: ports, configuration windows, pages of MSI-X tables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

/// Errors: enomem, eexist.
Result<> give_pci(Domain& domain, u64 mapped_top);

}  // namespace px::dom0
