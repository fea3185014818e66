// Domctls about the state of vCPUs, and writing a policy out, which sysctl needs as well.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "hypervisor/abi/domctl.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
class Domain;
}

namespace px::hvm {

Result<Reply> get_hvm_context(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> set_hvm_context(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> get_hvm_context_partial(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> get_vcpu_context(Vcpu& caller, Domain& domain, abi::Domctl& op);
Result<Reply> set_vcpu_context(Vcpu& caller, Domain& domain, abi::Domctl& op);

struct CpuImage;
abi::x86::VcpuGuestContext to_guest_context(const CpuImage& image, bool online);

/// Fills the caller's arrays and counts; for a null array its count becomes what is needed at most.
/// Errors: enobufs, efault.
Result<Reply> write_policy(const CpuPolicy& policy, abi::GuestHandle<abi::x86::CpuidLeaf> leaves, u32& nr_leaves,
                           abi::GuestHandle<abi::x86::MsrEntry> msrs, u32& nr_msrs);

}  // namespace px::hvm
