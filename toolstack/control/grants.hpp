// The grants that a new domain has from the start: console and xenstore.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/control/domain.hpp"

namespace px::control {

/// Lets dom0 map the two rings by grant, so that its services need no privilege [xen/public grant_table.h
/// GNTTAB_RESERVED_*]. `scratch` is a hole of the guest's memory; it is one again afterwards.
call::Outcome<> seed_grants(Domain domain, Gfn console, Gfn store, Gfn scratch);

}  // namespace px::control
