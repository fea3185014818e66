// x86 on the build host: the edge of the hardware, faked.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "arch/x86/hvm/backend.hpp"
#include "tests/unit/domain/world.hpp"

namespace px::hvm {

/// What a back end was told about one vCPU.
struct FakeVcpu {
    std::map<Segment, SegmentRegister> segments;
    TableRegister gdtr, idtr;
    unsigned control_changes = 0;
};
FakeVcpu& fake_of(const Vcpu& vcpu);

/// CPUs that were told of posted interrupts, and not made to leave their guests.
inline std::vector<u32> posted_notices;

/// A slow TSC: a tick is nearly a nanosecond, so that 64 bits of ticks are more nanoseconds than a clock has.
inline constexpr u64 fake_tsc_khz = 1'200'000;

/// A domain of x86 with what its tests reach for.
class X86World : public World {
protected:
    static VirtualLocalApic& apic(Domain& domain, u32 vcpu = 0) { return domain.vcpu(VcpuId{vcpu})->arch.apic; }
    /// Time passes and this CPU's software timers run.
    static void advance_to(Nanoseconds time) {
        arch::host_set_now(time);
        for (u32 cpu = 0; cpu < online_cpus(); ++cpu) per_cpu(CpuId{cpu})->timers.run_expired(time);
    }
};

}  // namespace px::hvm
