// Messages that stand for interrupts (MSI), as a domain's virtual local APICs take them. [intel/sdm3 11.11]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
class Domain;
}

namespace px::hvm {

/// What a device writes where; the upper half of the address is 0 on x86.
struct Message {
    u32 address = 0;
    u32 data = 0;

    u8 vector() const { return static_cast<u8>(data); }
    u8 delivery() const { return static_cast<u8>(data >> 8 & 7); }  ///< an ioapic::Delivery
    u32 destination() const { return address >> 12 & 0xff; }
    bool logical() const { return (address & 4) != 0; }
    friend bool operator==(const Message&, const Message&) = default;
};

/// Fixed and lowest-priority messages; others are dropped. Any CPU, any context.
void deliver(Domain& domain, const Message& message);

/// The CPU on which the vCPU that `destination` names runs, or ran last; where it names several, the first one's.
CpuId cpu_of_destination(Domain& domain, u32 destination, bool logical);

}  // namespace px::hvm
