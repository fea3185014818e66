// The machine's interrupt lines by their numbers (GSIs), as PIRQs need them; a fake stands here in the unit tests.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/machine/irq.hpp"

namespace px::dom0 {

/// How a line signals.
struct LineMode {
    bool level = false, active_low = false;
    bool operator==(const LineMode&) const = default;
};

/// Serialised by its user, with interrupts off: handlers mask lines.
class InterruptLines {
public:
    virtual bool exists(u32 gsi) const = 0;
    /// One more than the largest number.
    virtual u32 end() const = 0;

    // Only where exists(gsi).
    virtual void connect(u32 gsi, const arch::InterruptRoute& route, LineMode mode) = 0;
    virtual void mask(u32 gsi) = 0;
    virtual void unmask(u32 gsi) = 0;

    /// A register of the I/O APIC at this machine address. Errors: einval (no such device).
    virtual Result<u32> read(u64 address, u8 index) = 0;

protected:
    ~InterruptLines() = default;
};

}  // namespace px::dom0
