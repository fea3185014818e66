// The life of what a domain and a vCPU are composed of, whatever their kind.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/vcpu.hpp"
#include "arch/x86/svm/svm.hpp"
#include "arch/x86/vmx/vmx.hpp"

namespace px::hvm {

DomainState::DomainState() = default;
DomainState::~DomainState() = default;
VcpuState::VcpuState(Vcpu& vcpu) : apic(vcpu) {}
VcpuState::~VcpuState() = default;

}  // namespace px::hvm
