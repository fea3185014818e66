// Which CPUs a vCPU may run on.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/affinity.hpp"

#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/vcpu.hpp"

namespace px {

CpuMask Affinity::hard() { return state_.lock()->hard; }
CpuMask Affinity::soft() { return state_.lock()->soft; }

Result<> Affinity::set_hard(const CpuMask& hard, bool force) {
    auto state = state_.lock();
    REQUIRE(!state->pinned || force, ebusy);
    TRY(scheduler().set_affinity(vcpu_.unit, hard, state->soft));
    state->hard = hard;
    state->pinned = false;
    return {};
}

Result<> Affinity::set_soft(const CpuMask& soft) {
    auto state = state_.lock();
    // A pinned vCPU has no choice: the wish counts from the end of the pinning on.
    if (!state->pinned) TRY(scheduler().set_affinity(vcpu_.unit, state->hard, soft));
    state->soft = soft;
    return {};
}

Result<> Affinity::pin(CpuId cpu) {
    auto state = state_.lock();
    REQUIRE(cpu.raw < online_cpus(), einval);
    REQUIRE(!state->pinned, ebusy);
    TRY(scheduler().set_affinity(vcpu_.unit, CpuMask::of(cpu), CpuMask::all()));
    state->pinned = true;
    return {};
}

Result<> Affinity::unpin() {
    auto state = state_.lock();
    REQUIRE(state->pinned, einval);
    TRY(scheduler().set_affinity(vcpu_.unit, state->hard, state->soft));
    state->pinned = false;
    return {};
}

}  // namespace px
