// Contract: the pvclock parameters of a vCPU.
//
// vcpu_time(vcpu)              tsc_timestamp, system_time, multiplier, shift, flags as the guest must see them now;
//                              version is ignored
// vcpu_time_is_constant(vcpu)  true where vcpu_time() gives the same answer for as long as the vCPU keeps its TSC offset
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/shared_info.hpp"

namespace px {
class Vcpu;
}

namespace px::arch {

abi::VcpuTimeInfo vcpu_time(const Vcpu& vcpu);
bool vcpu_time_is_constant(const Vcpu& vcpu);

}  // namespace px::arch
