// Being written.
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypercall/hypercall.hpp"
namespace px { Result<Reply> hypercall_memory_op(Vcpu&, HypercallArgs&) { return Err{Errno::enosys}; } }
