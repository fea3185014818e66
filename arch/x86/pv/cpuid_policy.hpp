// What a PV guest's CPU may claim to be.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu_policy/cpu_policy.hpp"

namespace px::pv {

/// What may be offered at most on a host with policy `host`: what an HVM guest may have, less what only a guest with paging and
/// privileges of its own can use. [xen/public arch-x86/cpufeatureset.h: features of all guests]
hvm::CpuPolicy maximum_policy(const hvm::CpuPolicy& host);

}  // namespace px::pv
