// What every physical CPU does for ever: softirqs, the scheduler's choice, the guest.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/sched/policy.hpp"

namespace px {

/// Never returns; the CPU is set up and online, interrupts may be off.
[[noreturn]] void cpu_loop();

/// The policy of cpupool 0. Created before the first domain.
sched::Policy& scheduler();
/// Chooses the policy by its name of the command line (`sched=`); unknown names fall back to the default, said in the log.
void init_scheduler(std::string_view name);
/// The online CPUs become the scheduler's.
void scheduler_add_online_cpus();

/// Work to run soon on this CPU with interrupts enabled and no lock held, once per note().
class Tasklet {
public:
    constexpr Tasklet(void (*function)(void*), void* context) : function_(function), context_(context) {}
    /// Any context, any CPU; runs on the CPU that called note() first.
    void note();

private:
    friend void run_tasklets();
    void (*function_)(void*);
    void* context_;
    std::atomic<bool> noted_{false};
    Tasklet* next_ = nullptr;
};

}  // namespace px
