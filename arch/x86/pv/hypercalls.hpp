// The hypercalls on PV memory; the caller is a vCPU of a PV domain. [xen/public xen.h, arch-x86/xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/hypercall/hypercall.hpp"

namespace px::pv {

/// Errors: esrch, eperm, einval, eopnotsupp (owners); efault; of an element: enosys (unknown), einval, eperm, ebusy (change_word()).
Result<Reply> mmu_update(Vcpu& caller, HypercallArgs& args);
/// Errors: efault (bitmap of vCPUs), einval, eperm, ebusy (change_entry()).
Result<Reply> update_va_mapping(Vcpu& caller, HypercallArgs& args);
/// Errors: also esrch, eperm (owner).
Result<Reply> update_va_mapping_otherdomain(Vcpu& caller, HypercallArgs& args);
/// Errors: esrch, eperm (owner); efault; of an element: einval, eperm (not for another domain), eacces (caches),
/// eopnotsupp (superpages), enosys (unknown).
Result<Reply> mmuext_op(Vcpu& caller, HypercallArgs& args);
/// Errors: einval, efault.
Result<Reply> hypercall_set_gdt(Vcpu& caller, HypercallArgs& args);
/// Errors: einval.
Result<Reply> hypercall_update_descriptor(Vcpu& caller, HypercallArgs& args);

}  // namespace px::pv
