// Inside of HYPERVISOR_domctl: what its parts share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px::domctl {

/// `op` is the guest's structure as read once; it is written back, also after an error.
using Handler = Result<Reply> (*)(Vcpu& caller, Domain& domain, abi::Domctl& op);

/// A new domain; op.domain becomes its number. Errors: eexist, einval, enomem, enodev, eopnotsupp.
Result<Reply> create(Vcpu& caller, abi::Domctl& op);

// One vCPU.
Result<Reply> max_vcpus(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> get_vcpu_info(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> set_vcpu_affinity(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> get_vcpu_affinity(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> scheduler_op(Vcpu& caller, Domain& domain, abi::Domctl& op);

/// What getdomaininfo and getdomaininfolist tell.
abi::DomctlGetdomaininfo info_of(Domain& domain);

/// Errors: einval (no such number), esrch (not created yet).
Result<Vcpu*> find_vcpu(Domain& domain, u32 number);

}  // namespace px::domctl
