// What belongs to one physical CPU, and softirqs.
//
// FS and GS are the guest's: the block is found from the stack pointer (arch::this_cpu_pointer). Interrupt handlers only
// note work in `softirqs`; it is done by process_softirqs() on the way back to a guest, or in the idle loop, with
// interrupts enabled.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "arch/per_cpu.hpp"
#include "hypervisor/base/lock_ranks.hpp"
#include "hypervisor/base/types.hpp"
#include "hypervisor/time/timer.hpp"

namespace px {

class Vcpu;

inline constexpr unsigned max_cpus = 256;

/// Deferred work of a CPU, in the order in which it is done.
enum class Softirq : u8 {
    timer,     ///< expired software timers
    call,      ///< functions that other CPUs asked this one to run with interrupts enabled (tasklets)
    console,   ///< input characters to hand out, output to drain
    schedule,  ///< pick another vCPU; last, so that the work above is seen by the choice
    count,
};

struct PerCpu {
    PerCpu(CpuId cpu, TimerHardware hardware) : id(cpu), timers(cpu, hardware), slice_timer(timers, end_of_slice, nullptr) {}

    CpuId id;
    std::atomic<u32> softirqs{0};  ///< bit per Softirq
    Vcpu* current = nullptr;       ///< whose registers this CPU holds; nullptr: idle
    TimerQueue timers;
    Timer slice_timer;     ///< the scheduler's next look
    HeldLocks held_locks;  ///< kept in debug builds
    bool online = false;
    u8 node = 0;  ///< NUMA node
    u64 context_switches = 0;
    std::atomic<i64> idle_ns{0};     ///< without a vCPU, up to the last one
    std::atomic<i64> idle_since{0};  ///< negative: it has one
    arch::PerCpuState arch;

private:
    static void end_of_slice(void* context, Nanoseconds now);
};

/// The block of the CPU that runs this. The CPU can't change under it: the hypervisor never migrates a running context.
inline PerCpu& this_cpu() { return *arch::this_cpu_pointer(); }
/// The block of any CPU that was found at boot; nullptr for others.
PerCpu* per_cpu(CpuId cpu);
/// How long an online CPU has had nothing to run, up to now. Any CPU.
Nanoseconds idle_time(CpuId cpu);
/// Number of CPUs that are online; their ids are dense from 0.
unsigned online_cpus();

/// Notes work for this CPU; any context, also interrupt handlers.
inline void raise_softirq(Softirq which) { this_cpu().softirqs.fetch_or(1u << static_cast<unsigned>(which), std::memory_order_release); }
inline void PerCpu::end_of_slice(void*, Nanoseconds) { raise_softirq(Softirq::schedule); }
/// Notes work for another CPU and interrupts it.
void raise_softirq_on(CpuId cpu, Softirq which);
inline bool softirq_pending() { return this_cpu().softirqs.load(std::memory_order_relaxed) != 0; }
/// Does the work that is noted, until none is. Interrupts enabled, no lock held, not from a handler.
void process_softirqs();

/// For long operations: true when something else should run first. The operation then returns a continuation.
inline bool preemption_pending() { return softirq_pending(); }

}  // namespace px
