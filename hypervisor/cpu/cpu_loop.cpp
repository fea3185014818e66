// What every physical CPU does for ever.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/cpu/cpu_loop.hpp"

#include "arch/smp.hpp"
#include "hypervisor/console/console.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/sched/create.hpp"

namespace px {
namespace {

class CpuEnvironment final : public sched::Environment {
public:
    Nanoseconds now() const override { return arch::now(); }
    void kick(CpuId cpu) override { raise_softirq_on(cpu, Softirq::schedule); }
};

CpuEnvironment environment;
constinit sched::Policy* policy = nullptr;

Vcpu* vcpu_of(sched::Unit* unit) { return unit == nullptr ? nullptr : &Vcpu::of(*unit); }

void account_idle(PerCpu& cpu, Nanoseconds now, bool idle_from_now) {
    const i64 since = cpu.idle_since.load(std::memory_order_relaxed);
    if (since >= 0) cpu.idle_ns.store(cpu.idle_ns.load(std::memory_order_relaxed) + now.raw - since, std::memory_order_relaxed);
    cpu.idle_since.store(idle_from_now ? now.raw : -1, std::memory_order_relaxed);
}

void switch_to(PerCpu& cpu, Vcpu* next) {
    Vcpu* const previous = cpu.current;
    const Nanoseconds now = arch::now();
    account_idle(cpu, now, next == nullptr);
    if (previous != nullptr) {
        const arch::IrqState state = arch::irq_save();
        arch::switch_out(*previous);
        cpu.current = nullptr;
        arch::irq_restore(state);
        previous->left_cpu(now);
        policy->context_saved(previous->unit);
    }
    if (next == nullptr) return;
    ++cpu.context_switches;
    const arch::IrqState state = arch::irq_save();
    cpu.current = next;
    arch::switch_in(*next);
    arch::irq_restore(state);
    next->entered_cpu(now);
}

void schedule(PerCpu& cpu) {
    const Nanoseconds now = arch::now();
    const sched::Decision decision = policy->pick_next(cpu.id, now);
    Vcpu* const next = vcpu_of(decision.unit);
    if (decision.slice == Nanoseconds::never()) cpu.slice_timer.cancel();
    else cpu.slice_timer.arm(now + decision.slice);
    if (next != cpu.current) switch_to(cpu, next);
}

constinit Locked<Tasklet*, LockRank::console> noted{nullptr};

}  // namespace

Nanoseconds idle_time(CpuId cpu) {
    const PerCpu& block = *per_cpu(cpu);
    const i64 since = block.idle_since.load(std::memory_order_relaxed);
    return Nanoseconds{block.idle_ns.load(std::memory_order_relaxed) + (since < 0 ? 0 : arch::now().raw - since)};
}

void Tasklet::note() {
    if (noted_.exchange(true, std::memory_order_acq_rel)) return;
    {
        auto head = noted.lock();
        next_ = *head;
        *head = this;
    }
    raise_softirq(Softirq::call);
}

void run_tasklets() {
    Tasklet* list;
    {
        auto head = noted.lock();
        list = std::exchange(*head, nullptr);
    }
    while (list != nullptr) {
        Tasklet* const tasklet = std::exchange(list, list->next_);
        tasklet->noted_.store(false, std::memory_order_release);
        tasklet->function_(tasklet->context_);
    }
}

void process_softirqs() {
    PerCpu& cpu = this_cpu();
    u32 pending;
    while ((pending = cpu.softirqs.exchange(0, std::memory_order_acquire)) != 0) {
        const auto noted_now = [&](Softirq which) { return (pending >> static_cast<unsigned>(which) & 1) != 0; };
        if (noted_now(Softirq::timer)) cpu.timers.run_expired(arch::now());
        if (noted_now(Softirq::call)) run_tasklets();
        if (noted_now(Softirq::console)) console_poll_input();
        if (noted_now(Softirq::schedule)) schedule(cpu);
    }
}

void cpu_loop() {
    PerCpu& cpu = this_cpu();
    arch::irq_enable();
    for (;;) {
        if (cpu.softirqs.load(std::memory_order_relaxed) != 0) process_softirqs();
        if (cpu.current != nullptr) {
            arch::run(*cpu.current);
            continue;
        }
        arch::irq_disable();
        if (softirq_pending()) arch::irq_enable();
        else arch::idle();
    }
}

sched::Policy& scheduler() { return *policy; }

void init_scheduler(std::string_view name) {
    policy = sched::create_policy(name, environment);
    if (policy == nullptr) {
        log_warning("sched={}: no such scheduler, '{}' is used", name, sched::default_policy);
        policy = sched::create_policy(sched::default_policy, environment);
    }
    log_info("scheduler: {}", policy->name());
}

void scheduler_add_online_cpus() {
    for (u32 id = 0; id < online_cpus(); ++id) {
        if (!policy->add_cpu(CpuId{id})) panic("CPU {} can't join the scheduler", id);
        raise_softirq_on(CpuId{id}, Softirq::schedule);
    }
}

}  // namespace px
