// Time as one domain reads it: wall clock in shared_info, pvclock in each vcpu_info. [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/time.hpp"
#include "hypervisor/abi/shared_info.hpp"
#include "hypervisor/base/nanoseconds.hpp"

namespace px {

class Domain;
class Vcpu;

/// The machine's wall clock: UTC at system time 0. Set by the hardware domain (XENPF_settime).
arch::WallClock wall_clock_base();
/// Moves it and tells every domain. Errors: none; `system_time` is when `seconds`.`nanoseconds` was true.
void set_wall_clock(u64 seconds, u32 nanoseconds, Nanoseconds system_time);

class DomainTime {
public:
    /// Seconds that the domain's wall clock is ahead of the machine's [xen/public domctl.h settimeoffset].
    i64 offset_seconds = 0;

    /// Writes the wall clock of `shared` by its version protocol.
    void publish_wall_clock(abi::SharedInfo& shared) const;
};

/// Writes the pvclock of `vcpu` where the guest reads it (vcpu_info and its secondary area) if it is not current.
/// On the CPU that is about to run it.
void publish_vcpu_time(Vcpu& vcpu);

}  // namespace px
