// Device interrupts of the machine: vectors of each CPU, and who is told when one fires.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px::arch {

/// Is told of a device's interrupt. Lives as long as the machine: an interrupt may be on its way when its vector is given back.
class InterruptTarget {
public:
    /// In the handler, interrupts off; the local APIC is acknowledged afterwards, so the source must be quiet by then.
    virtual void interrupt() = 0;

protected:
    ~InterruptTarget() = default;
};

/// A vector of one CPU.
struct InterruptRoute {
    CpuId cpu;
    u8 apic_id = 0;
    u8 vector = 0;  ///< 0: none

    bool bound() const { return vector != 0; }
    /// What a device has to write where. [intel/sdm3 11.11]
    u64 message_address() const { return 0xfee00000 | u64{apic_id} << 12; }
    u32 message_data() const { return vector; }
};

/// Tables for all online CPUs; once, before the first binding. Errors: enomem.
Result<> init_interrupt_vectors();
/// A vector that calls `target`, on CPU `preferred` where one is free there. Only CPUs that an unremapped message reaches.
/// Any CPU, no lock. Errors: enospc.
Result<InterruptRoute> bind_interrupt(InterruptTarget& target, CpuId preferred);
/// Gives the vector back; the device has been told to use it no more.
void unbind_interrupt(const InterruptRoute& route);

}  // namespace px::arch
