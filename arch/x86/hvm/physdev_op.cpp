// Being written.
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/hypercalls.hpp"
namespace px::hvm { Result<Reply> hypercall_physdev_op(Vcpu&, HypercallArgs&) { return Err{Errno::enosys}; } }
