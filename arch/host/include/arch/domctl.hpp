// The build host as an architecture: its part of domctl and sysctl. Contract: see arch/x86/include/arch/domctl.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/sysctl.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
class Domain;
struct DomainSettings;
}  // namespace px

namespace px::arch {

Result<> configure(const abi::DomctlCreatedomain& request, px::DomainSettings& settings);
void describe(Domain& domain, abi::DomctlGetdomaininfo& info);
Result<Reply> domctl(Vcpu& caller, Domain& domain, abi::Domctl& op);

void describe(abi::SysctlPhysinfo& info);
abi::SysctlCputopo topology(CpuId cpu);
Result<Reply> sysctl(Vcpu& caller, abi::Sysctl& op);

}  // namespace px::arch
