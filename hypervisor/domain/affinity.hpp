// Which CPUs a vCPU may run on: what its toolstack set, and a pinning that overrides it for a while.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/cpu_mask.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"

namespace px {

class Vcpu;

class Affinity {
public:
    explicit Affinity(Vcpu& vcpu) : vcpu_(vcpu) {}

    CpuMask hard();
    CpuMask soft();
    /// Hard: where it may run; soft: where it would rather. Errors: einval (`hard` has no CPU of the scheduler's),
    /// ebusy (pinned: `hard` can't change, unless `force` ends the pinning).
    Result<> set_hard(const CpuMask& hard, bool force);
    Result<> set_soft(const CpuMask& soft);
    /// SCHEDOP_pin_override. Errors: einval (no such CPU; not pinned), ebusy (pinned already).
    Result<> pin(CpuId cpu);
    Result<> unpin();

private:
    struct State {
        CpuMask hard = CpuMask::all(), soft = CpuMask::all();
        bool pinned = false;
    };
    Vcpu& vcpu_;
    Locked<State, LockRank::domain> state_;
};

}  // namespace px
