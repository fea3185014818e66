// The fair policy, as its users see it: members, wake and sleep, affinity. Placement and balancing: fair_balance.cpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/sched/fair.hpp"

#include "arch/cpu.hpp"

namespace px::sched {

FairPolicy::Held::~Held() {
    auto& hints = cpu_.hints;
    const Unit* first = queue_->waiting.first();
    if (first != nullptr) { hints.laggard.store(queue_->to_pool(first->policy.virtual_time), std::memory_order_relaxed); }
    hints.clock.store(queue_->clock(), std::memory_order_relaxed);
    hints.load.store(queue_->load(), std::memory_order_relaxed);
    hints.waiting.store(static_cast<u32>(queue_->waiting.size()), std::memory_order_seq_cst);
}

template <class Body>
auto FairPolicy::with_home(Unit& unit, Body body) {
    while (true) {
        const CpuId home = unit.cpu();
        Held queue(at(home));
        if (unit.cpu() == home) return body(*queue);
    }
}

Result<> FairPolicy::add_cpu(CpuId cpu) {
    REQUIRE(cpu.raw < cpus_.size() && cpu.raw < CpuMask::capacity, einval);
    REQUIRE(!online_.has(cpu), eexist);
    {
        Held queue(at(cpu));
        REQUIRE(queue->running == nullptr && queue->leaving == nullptr, ebusy);
        queue->reset(tunables_);
        online_.add(cpu);
    }
    environment_.kick(cpu);
    for (CpuId member : cpus()) evict_strangers(member);  // units whose affinity couldn't be obeyed until now
    return {};
}

Result<> FairPolicy::remove_cpu(CpuId cpu) {
    REQUIRE(cpu.raw < cpus_.size() && online_.has(cpu), enoent);
    REQUIRE(units_.load() == 0 || cpus().count() > 1, ebusy);
    {
        Held queue(at(cpu));
        online_.remove(cpu);
        idle_.remove(cpu);
    }
    evict_strangers(cpu);
    environment_.kick(cpu);
    return {};
}

/// Units that may not be on `cpu` since the members changed: who waits goes elsewhere now, who runs at the kick.
void FairPolicy::evict_strangers(CpuId cpu) {
    auto find_in = [&](auto& tree) {
        Unit* unit = tree.first();
        while (unit != nullptr && allowed(*unit).has(cpu)) unit = tree.next(*unit);
        return unit;
    };
    while (true) {
        Unit* stranger = nullptr;
        {
            Held queue(at(cpu));
            if (queue->running != nullptr && !allowed(*queue->running).has(cpu)) environment_.kick(cpu);
            stranger = find_in(queue->waiting);
            if (stranger == nullptr) stranger = find_in(queue->parked);
            if (stranger == nullptr) return;
            queue->leave(*stranger);
        }
        place(*stranger, Arrival::moved);
    }
}

bool FairPolicy::cpu_drained(CpuId cpu) {
    Held queue(at(cpu));
    return !online_.has(cpu) && queue->running == nullptr && queue->leaving == nullptr;
}

Result<> FairPolicy::set_tunables(FairTunables tunables) {
    REQUIRE(tunables.slice >= milliseconds(1) && tunables.slice <= seconds(1), einval);
    REQUIRE(tunables.ratelimit == Nanoseconds{0} || (tunables.ratelimit >= microseconds(100) && tunables.ratelimit <= milliseconds(500)),
            einval);
    tunables_ = tunables;
    for (CpuId cpu : cpus()) Held(at(cpu))->set_tunables(tunables);
    return {};
}

Result<> FairPolicy::add_unit(Unit& unit) {
    PX_ASSERT(unit.policy.state == UnitState::detached);
    const auto home = cpus().next_after(CpuId{last_home_.load(std::memory_order_relaxed)});
    REQUIRE(home, enodev);
    last_home_.store(home->raw, std::memory_order_relaxed);
    units_.fetch_add(1);
    unit.policy.home.store(home->raw, std::memory_order_release);
    with_home(unit, [&](FairQueue& queue) {
        unit.policy.virtual_time = queue.local_clock();
        unit.policy.residue = 0;
        unit.policy.runnable = false;
        unit.policy.state = UnitState::blocked;
    });
    return {};
}

void FairPolicy::remove_unit(Unit& unit) {
    PX_ASSERT(!unit.on_cpu());
    // A wake that a sleep overtook may still carry the unit around; it ends without waiting for anybody.
    auto detached = [&](FairQueue&) {
        PX_ASSERT(!unit.policy.runnable);
        if (unit.policy.state == UnitState::blocked) unit.policy.state = UnitState::detached;
        return unit.policy.state == UnitState::detached;
    };
    while (!with_home(unit, detached)) arch::cpu_relax();
    unit.policy.wish.reset();
    units_.fetch_sub(1);
}

void FairPolicy::wake(Unit& unit) {
    const bool ours_to_place = with_home(unit, [&](FairQueue&) {
        auto& part = unit.policy;
        PX_ASSERT(part.state != UnitState::detached);
        part.runnable = true;
        if (part.state != UnitState::blocked) return false;
        part.state = UnitState::in_transit;
        return true;
    });
    if (ours_to_place) place(unit, Arrival::woken);
}

void FairPolicy::sleep(Unit& unit) {
    with_home(unit, [&](FairQueue& queue) {
        auto& part = unit.policy;
        part.runnable = false;
        if (part.state == UnitState::waiting || part.state == UnitState::parked) {
            queue.leave(unit);
            part.state = UnitState::blocked;
        } else if (part.state == UnitState::running) {
            environment_.kick(unit.cpu());
        }
    });
}

void FairPolicy::yield(Unit& unit) {
    with_home(unit, [&](FairQueue&) { unit.policy.yielded = unit.policy.state == UnitState::running; });
}

void FairPolicy::context_saved(Unit& unit) {
    const bool goes_on_elsewhere = with_home(unit, [&](FairQueue& queue) {
        PX_ASSERT(queue.leaving == &unit);
        queue.finish_leaving();
        return unit.policy.state == UnitState::in_transit;
    });
    if (goes_on_elsewhere) place(unit, Arrival::moved);
}

Result<> FairPolicy::set_affinity(Unit& unit, const CpuMask& hard, const CpuMask& soft) {
    REQUIRE(hard.intersects(cpus()), einval);
    const bool must_move = with_home(unit, [&](FairQueue& queue) {
        auto& part = unit.policy;
        part.hard = hard;
        part.soft = soft;
        if (allowed(unit).has(unit.cpu())) return false;
        if (part.state == UnitState::running) environment_.kick(unit.cpu());
        if (part.state != UnitState::waiting && part.state != UnitState::parked) return false;
        queue.leave(unit);
        return true;
    });
    if (must_move) place(unit, Arrival::moved);
    return {};
}

Result<> FairPolicy::migrate(Unit& unit, CpuId cpu) {
    REQUIRE(cpu.raw < CpuMask::capacity, einval);
    const bool must_move = TRY(with_home(unit, [&](FairQueue& queue) -> Result<bool> {
        auto& part = unit.policy;
        REQUIRE(allowed(unit).has(cpu), einval);
        if (unit.cpu() == cpu) return false;
        part.wish = cpu;
        if (part.state == UnitState::running) environment_.kick(unit.cpu());
        if (part.state != UnitState::waiting && part.state != UnitState::parked) return false;
        queue.leave(unit);
        return true;
    }));
    if (must_move) place(unit, Arrival::moved);
    return {};
}

Nanoseconds FairPolicy::run_time(Unit& unit) {
    return with_home(unit, [&](FairQueue&) {
        const auto& part = unit.policy;
        if (part.state != UnitState::running) return part.run_time;
        return part.run_time + std::max(environment_.now() - part.started, Nanoseconds{0});
    });
}

Statistics FairPolicy::statistics(CpuId cpu) { return Held(at(cpu))->statistics; }

void FairPolicy::dump() {
    auto print = [](const char* state, const Unit& unit) {
        log_reply("    {} d{}v{} weight {} virtual {} ran {} us", state, unit.group.domain(), unit.id, unit.policy.weight,
                  unit.policy.virtual_time, unit.policy.run_time.raw / 1000);
    };
    log_reply("scheduler {}: {} units, slice {} us, ratelimit {} us", name(), units_.load(), tunables_.slice.raw / 1000,
              tunables_.ratelimit.raw / 1000);
    for (CpuId cpu : cpus()) {
        Held queue(at(cpu));
        const Statistics& s = queue->statistics;
        log_reply("  cpu {}: load {} clock {} switches {} preemptions {} migrations {} steals {} pulls {}", cpu, queue->load(),
                  queue->clock(), s.switches, s.preemptions, s.migrations, s.steals, s.pulls);
        if (queue->running != nullptr) print("running", *queue->running);
        for (Unit* unit = queue->waiting.first(); unit != nullptr; unit = queue->waiting.next(*unit)) { print("waiting", *unit); }
        for (Unit* unit = queue->parked.first(); unit != nullptr; unit = queue->parked.next(*unit)) { print("parked ", *unit); }
    }
}

}  // namespace px::sched
