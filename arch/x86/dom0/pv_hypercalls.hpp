// Hypercalls of PV guests on physical devices.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/hypercall/hypercall.hpp"

namespace px::dom0 {

/// args: (operation, argument). Errors: enosys, efault; eperm (not the hardware domain); those of Pirqs.
Result<Reply> hypercall_pv_physdev_op(Vcpu& caller, HypercallArgs& args);
/// args: (PhysdevCompatOp). The same operations with the argument behind the number.
Result<Reply> hypercall_pv_physdev_op_compat(Vcpu& caller, HypercallArgs& args);

}  // namespace px::dom0
