// The simulated machine: see simulator.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "simulator.hpp"

namespace px::sched::test {

Simulator::~Simulator() { EXPECT_TRUE(tasks.empty()); }

void Simulator::use(Policy& policy, unsigned cpus) {
    policy_ = &policy;
    cpus_.resize(cpus);
    for (u32 number = 0; number < cpus; ++number) {
        cpus_[number].present = true;
        ASSERT_TRUE(policy.add_cpu(cpu(number)).ok());
    }
}

Group& Simulator::group(Parameters parameters) {
    groups_.push_back(std::make_unique<Group>(DomId{static_cast<u16>(groups_.size())}));
    EXPECT_TRUE(groups_.back()->set_parameters(parameters).ok());
    return *groups_.back();
}

Task& Simulator::task(Group& group, Behaviour behaviour, const CpuMask& hard, const CpuMask& soft) {
    tasks.push_back(std::make_unique<Task>(group, static_cast<u32>(tasks.size()), behaviour));
    Task& task = *tasks.back();
    EXPECT_TRUE(policy_->add_unit(task.unit).ok());
    EXPECT_TRUE(policy_->set_affinity(task.unit, hard, soft).ok());
    task.measured_from = Nanoseconds{0};
    wake(task);
    return task;
}

void Simulator::freeze(Task& task) {
    task.frozen = true;
    task.awake = false;
    task.wake_at = task.waiting_since = Nanoseconds::never();
    policy_->sleep(task.unit);
}

void Simulator::thaw(Task& task) {
    if (!task.frozen) return;
    task.frozen = false;
    wake(task);
}

void Simulator::destroy(Task& task) {
    freeze(task);
    for (int patience = 0; task.unit.on_cpu(); ++patience) {
        PX_ASSERT(patience < 1000);  // else it never comes off its CPU: nothing can be cleaned up
        run_for(std::max(save_cost_, Nanoseconds{1}));
    }
    policy_->remove_unit(task.unit);
    std::erase_if(tasks, [&](const auto& each) { return each.get() == &task; });
}

Nanoseconds Simulator::vary(Nanoseconds value, bool random_value) {
    if (!random_value || value == Nanoseconds::never()) return value;
    return Nanoseconds{1 + static_cast<i64>(random() % static_cast<u64>(2 * value.raw + 1))};
}

void Simulator::wake(Task& task) {
    task.awake = true;
    task.wake_at = Nanoseconds::never();
    task.woken_at = task.waiting_since = now_;
    ++task.wakes;
    task.remaining = vary(task.behaviour.burst, task.behaviour.random);
    policy_->wake(task.unit);
}

Task* Simulator::owner(Unit* unit) {
    for (auto& task : tasks) {
        if (&task->unit == unit) return task.get();
    }
    return nullptr;
}

/// The current task computes until now.
void Simulator::advance(Cpu& cpu) {
    if (cpu.current == nullptr || cpu.saving) return;
    Task& task = *cpu.current;
    const Nanoseconds ran = now_ - cpu.running_since;
    cpu.running_since = now_;
    if (task.remaining == Nanoseconds::never() || !task.awake) return;
    task.remaining -= ran;
    if (task.remaining > Nanoseconds{0}) return;
    task.awake = false;
    task.wake_at = now_ + vary(task.behaviour.pause, task.behaviour.random);
    policy_->sleep(task.unit);
}

void Simulator::pick(Cpu& at, CpuId id) {
    at.kicked = false;
    if (random_yields && at.current != nullptr && random() % 8 == 0) policy_->yield(at.current->unit);
    const Decision decision = policy_->pick_next(id, now_);
    ASSERT_GT(decision.slice, Nanoseconds{0});
    at.slice_end = decision.slice == Nanoseconds::never() ? decision.slice : now_ + decision.slice;
    at.next = decision.unit == nullptr ? nullptr : owner(decision.unit);
    if (at.next == at.current) return;
    at.saving = true;
    at.save_until = now_ + save_cost_;
    if (save_cost_ == Nanoseconds{0}) finish_switch(at);
}

void Simulator::finish_switch(Cpu& at) {
    Task* previous = std::exchange(at.current, at.next);
    at.saving = false;
    at.running_since = now_;
    if (previous != nullptr) {
        if (previous->awake) previous->waiting_since = now_;
        policy_->context_saved(previous->unit);
    }
    if (Task* task = at.current) {
        task->longest_wait = std::max(task->longest_wait, now_ - std::min(task->waiting_since, now_));
        task->waiting_since = Nanoseconds::never();
        if (task->woken_at != Nanoseconds::never()) {
            task->worst_latency = std::max(task->worst_latency, now_ - task->woken_at);
            task->woken_at = Nanoseconds::never();
        }
    }
}

/// Everything that happens at this instant, until nothing more does.
void Simulator::settle() {
    for (int rounds = 0;; ++rounds) {
        ASSERT_LT(rounds, 1000) << "the policy kicks for ever";
        bool quiet = true;
        for (auto& task : tasks) {
            if (task->wake_at <= now_) wake(*task), quiet = false;
        }
        for (u32 number = 0; number < cpus_.size(); ++number) {
            Cpu& at = cpus_[number];
            if (at.saving) {
                if (at.save_until > now_) continue;
                finish_switch(at);
                quiet = false;
            }
            if (at.kicked || at.slice_end <= now_) {
                pick(at, cpu(number));
                quiet = false;
            }
        }
        if (quiet) return;
    }
}

Nanoseconds Simulator::next_event() const {
    Nanoseconds next = Nanoseconds::never();
    for (const auto& task : tasks) next = std::min(next, task->wake_at);
    for (const Cpu& at : cpus_) {
        if (at.saving) {
            next = std::min(next, at.save_until);
            continue;
        }
        next = std::min(next, at.slice_end);
        if (at.current != nullptr && at.current->awake && at.current->remaining != Nanoseconds::never()) {
            next = std::min(next, at.running_since + at.current->remaining);
        }
    }
    return next;
}

void Simulator::check() {
    const CpuMask members = policy_->cpus();
    for (const auto& task : tasks) {
        unsigned places = 0;
        for (const Cpu& at : cpus_) places += at.current == task.get() || (at.saving && at.next == task.get());
        ASSERT_LE(places, 1u) << "a unit on two CPUs";
        ASSERT_EQ(task->unit.on_cpu(), places == 1);
    }
    for (u32 number = 0; number < cpus_.size(); ++number) {
        Cpu& at = cpus_[number];
        if (at.current != nullptr && !at.saving) {
            ASSERT_TRUE(members.has(cpu(number)));
            const CpuMask& hard = at.current->unit.policy.hard;
            ASSERT_TRUE(hard.has(cpu(number)) || !hard.intersects(members)) << "hard affinity broken";
        }
        bool wanted = false;
        if (at.current == nullptr && !at.saving && members.has(cpu(number))) {
            for (const auto& task : tasks) {
                const bool may = task->unit.policy.hard.has(cpu(number)) || !task->unit.policy.hard.intersects(members);
                wanted |= may && task->awake && !task->unit.on_cpu();
            }
        }
        if (!wanted) at.idle_wrongly_since = Nanoseconds::never();
        else at.idle_wrongly_since = std::min(at.idle_wrongly_since, now_);
        if (wanted && check_work_conservation) {
            ASSERT_LE(now_ - at.idle_wrongly_since, idle_bound) << "cpu " << number << " idles while a unit waits";
        }
    }
}

void Simulator::run_for(Nanoseconds span) {
    const Nanoseconds end = now_ + span;
    while (true) {
        settle();
        if (!testing::Test::HasFailure()) check();  // one report is enough
        const Nanoseconds next = std::min(next_event(), end);
        ASSERT_GE(next, now_);
        now_ = next;
        for (Cpu& at : cpus_) advance(at);
        if (now_ == end) break;
    }
    settle();
}

void Simulator::start_measuring() {
    measured_from_ = now_;
    for (auto& task : tasks) {
        task->measured_from = policy_->run_time(task->unit);
        task->worst_latency = task->longest_wait = Nanoseconds{0};
        task->wakes = 0;
    }
}

double Simulator::share(Task& task) {
    return static_cast<double>((policy_->run_time(task.unit) - task.measured_from).raw) / static_cast<double>((now_ - measured_from_).raw);
}

}  // namespace px::sched::test
