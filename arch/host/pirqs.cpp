// The build host's physical interrupts: there are none, and none is missed.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/pirqs.hpp"

namespace px::arch {

Result<> pirq_bound(Domain&, u32, EvtPort) { return {}; }
void pirq_closed(Domain&, u32) {}

}  // namespace px::arch
