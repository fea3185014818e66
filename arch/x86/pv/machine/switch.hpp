// A PV vCPU comes to a CPU, runs there, and leaves it. Contract: arch/vcpu.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

void switch_in(Vcpu& vcpu);
void switch_out(Vcpu& vcpu);
void run(Vcpu& vcpu);

}  // namespace px::pv
