// Contract: physical interrupts behind event channels.
//
// pirq_bound(domain, pirq, port)  the hardware domain has bound it to `port`: its interrupts become events, by
//                                 EventChannels::notify_pirq(). No lock. Errors: einval (it isn't the domain's), enospc
// pirq_closed(domain, pirq)       the port is closed, also where pirq_bound() failed; under the channel's lock
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Domain;
}

namespace px::arch {

Result<> pirq_bound(Domain& domain, u32 pirq, EvtPort port);
void pirq_closed(Domain& domain, u32 pirq);

}  // namespace px::arch
