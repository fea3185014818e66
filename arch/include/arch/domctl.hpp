// Contract: the architecture's part of domctl and sysctl. The caller's privilege has been checked.
//
// configure(request, settings)   what a new domain's flags mean here; fills settings.arch. Errors: einval, eopnotsupp, enodev
// describe(domain, info)         the architecture's fields of getdomaininfo
// frame_info(domain, gfn)        what the frame is used as: abi::pfinfo
// domctl(caller, domain, op)     operations that the generic code doesn't know; `op` is written back, also after an error.
//                                Errors: eopnotsupp for those that nobody knows
// describe(info)                 the architecture's fields of physinfo: CPU topology, clock, capabilities of the machine
// topology(cpu)                  of an online CPU
// sysctl(caller, op)             as domctl(). Errors: enosys
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
u32 frame_info(Domain& domain, Gfn gfn);
Result<Reply> domctl(Vcpu& caller, Domain& domain, abi::Domctl& op);

void describe(abi::SysctlPhysinfo& info);
abi::SysctlCputopo topology(CpuId cpu);
Result<Reply> sysctl(Vcpu& caller, abi::Sysctl& op);

}  // namespace px::arch
