// What a scheduling policy needs from the machine, and nothing else.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/nanoseconds.hpp"

namespace px::sched {

class Environment {
public:
    /// The clock, in step on all CPUs up to small errors; a policy copes with a clock that stands still or steps back.
    virtual Nanoseconds now() const = 0;
    /// Makes `cpu` call pick_next() soon. Called with run queue locks held, on any CPU, also for the calling CPU itself:
    /// it notes a softirq, sends an interrupt and never waits. Kicks may be merged, never lost.
    virtual void kick(CpuId cpu) = 0;

protected:
    ~Environment() = default;
};

}  // namespace px::sched
