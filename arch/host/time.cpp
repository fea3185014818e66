// The build host as an architecture: time.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/time.hpp"

#include <atomic>

#include "arch/guest_time.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::arch {
namespace {
std::atomic<i64> clock_now{0};
}

Nanoseconds now() { return Nanoseconds{clock_now.load(std::memory_order_relaxed)}; }
void host_set_now(Nanoseconds time) { clock_now.store(time.raw, std::memory_order_relaxed); }
void program_timer(Nanoseconds deadline) { this_cpu().arch.programmed = deadline; }
WallClock wall_clock() { return {1'700'000'000, 0}; }

abi::VcpuTimeInfo vcpu_time(const Vcpu&) {
    abi::VcpuTimeInfo info{};
    info.system_time = static_cast<u64>(now().raw);
    info.tsc_to_system_mul = 0x8000'0000;
    info.tsc_shift = 1;
    return info;
}
bool vcpu_time_is_constant(const Vcpu&) { return false; }

}  // namespace px::arch
