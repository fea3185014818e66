// What CPUID tells a guest about its CPUs' topology.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/control/cpu_policy.hpp"

namespace px::builder {

/// Makes the policy agree with local APIC ids that are 2 × vCPU: twice as many ids per package as the machine has, in
/// leaves 1, 4 (Intel) and 0x80000008 (AMD).
void fit_topology(control::CpuPolicy& policy);

}  // namespace px::builder
