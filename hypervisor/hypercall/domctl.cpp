// Being written.
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypercall/hypercall.hpp"
namespace px { Result<Reply> hypercall_domctl(Vcpu&, HypercallArgs&) { return Err{Errno::enosys}; } }
