// The fair policy's decisions: what a CPU runs, where a unit goes, what moves between CPUs. See fair.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/sched/fair.hpp"

namespace px::sched {

namespace {

/// Shortest slice handed out: below this a CPU would do nothing but switch.
constexpr Nanoseconds shortest_slice = microseconds(100);
/// Waiting units that a pull looks at, so that it is bounded; idle CPUs look at all.
constexpr unsigned pull_search = 8;

}  // namespace

CpuMask FairPolicy::allowed(const Unit& unit) const {
    const CpuMask members = cpus();
    const CpuMask result = unit.policy.hard & members;
    return result.empty() ? members : result;
}

CpuMask FairPolicy::preferred(const Unit& unit) const {
    const CpuMask possible = allowed(unit);
    const CpuMask result = possible & unit.policy.soft;
    return result.empty() ? possible : result;
}

/// Idle before busy, soft affinity before none, home before elsewhere, light before heavy. Home's lock is held.
FairPolicy::Target FairPolicy::choose_cpu(Unit& unit) {
    const CpuId home = unit.cpu();
    const CpuMask possible = allowed(unit);
    const CpuMask liked = preferred(unit);
    if (const auto wish = std::exchange(unit.policy.wish, std::nullopt); wish && possible.has(*wish)) { return claim(*wish); }
    const CpuMask idle = idle_.snapshot();
    for (const CpuMask& candidates : {idle & liked, idle & possible}) {
        if (candidates.has(home)) return claim(home);
        if (const auto cpu = candidates.next_after(home)) return claim(*cpu);
    }
    if (liked.has(home) && at(home).hints.waiting.load(std::memory_order_relaxed) == 0) return {home, false};
    CpuId best = liked.has(home) ? home : *liked.first();
    u64 best_load = at(best).hints.load.load(std::memory_order_relaxed);
    for (CpuId cpu : liked) {
        const u64 load = at(cpu).hints.load.load(std::memory_order_relaxed);
        if (load < best_load) best = cpu, best_load = load;
    }
    return claim(best);
}

/// The unit is in transit by our hand, so its home changes under us only.
void FairPolicy::place(Unit& unit, Arrival arrival) {
    auto& part = unit.policy;
    CpuMask candidates;
    for (bool done = false; !done;) {
        const CpuId home = unit.cpu();
        Target target;
        VirtualTime position;
        {
            Held queue(at(home));
            if (!part.runnable) {
                part.state = UnitState::blocked;
                return;
            }
            target = choose_cpu(unit);
            candidates = allowed(unit);
            position = queue->to_pool(part.virtual_time);
            if (target.cpu == home && online_.has(home)) {
                arrive(unit, *queue, position, arrival, target);
                break;
            }
        }
        if (target.cpu != home) {
            HeldPair pair(*this, home, target.cpu);
            candidates = allowed(unit);
            if (part.runnable && candidates.has(target.cpu)) {
                part.home.store(target.cpu.raw, std::memory_order_release);
                ++pair.b().statistics.migrations;
                arrive(unit, pair.b(), position, arrival, target);
                done = true;
            }
        }
        if (!done && target.claimed) environment_.kick(target.cpu);  // so that it looks again and says that it is idle
    }
    offer_to_idle(candidates);
}

void FairPolicy::arrive(Unit& unit, FairQueue& queue, VirtualTime position, Arrival arrival, Target target) {
    queue.join(unit, position, arrival);
    const bool goes_first = queue.running == nullptr ||
                            (arrival == Arrival::woken && before(unit.policy.virtual_time, queue.running_position(environment_.now())));
    if (goes_first || target.claimed) environment_.kick(target.cpu);
}

/// The second half of "publish, then look at idle_"; called after the queue was let go.
void FairPolicy::offer_to_idle(const CpuMask& candidates) {
    for (CpuId cpu : idle_.snapshot() & candidates) {
        if (claim(cpu).claimed) {
            environment_.kick(cpu);
            return;
        }
    }
}

bool FairPolicy::goes_on(CpuId cpu, const Unit& unit, const FairQueue& queue, const Unit* rival, Nanoseconds now) const {
    const auto& part = unit.policy;
    if (!part.runnable || !allowed(unit).has(cpu) || part.wish) return false;
    if (unit.group.barred_until(now) != Nanoseconds{0}) return false;
    const CpuMask liked = preferred(unit);
    if (!liked.has(cpu) && idle_.snapshot().intersects(liked)) return false;
    if (rival == nullptr) return true;
    if (part.yielded) return false;
    return FairQueue::ByVirtualTime{}(unit, *rival) || now - part.switched_in < queue.tunables().ratelimit;
}

/// Makes the choice effective and returns it; null: nothing here to run.
Unit* FairPolicy::choose_unit(CpuId cpu, FairQueue& queue, Nanoseconds now) {
    const bool member = online_.has(cpu);
    Unit* rival = member ? queue.first_eligible(now) : nullptr;
    if (Unit* current = queue.running) {
        if (member && goes_on(cpu, *current, queue, rival, now)) {
            current->policy.yielded = false;
            return current;
        }
        ++queue.statistics.switches;
        if (current->policy.runnable) ++queue.statistics.preemptions;
        queue.stop_running();
    } else if (rival != nullptr) {
        ++queue.statistics.switches;
    }
    if (rival != nullptr) queue.start(*rival, now);
    return rival;
}

Nanoseconds FairPolicy::slice_of(const FairQueue& queue, const Unit& unit, Nanoseconds now) {
    Nanoseconds slice = queue.tunables().slice;
    const Unit* rival = queue.waiting.first();
    const Nanoseconds protected_until = unit.policy.switched_in + queue.tunables().ratelimit;
    if (rival != nullptr && !FairQueue::ByVirtualTime{}(unit, *rival) && protected_until > now) {
        slice = std::min(slice, protected_until - now);
    }
    if (const Unit* parked = queue.parked.first()) slice = std::min(slice, parked->policy.release - now);
    slice = std::min(slice, std::max(unit.group.headroom(now), queue.tunables().ratelimit));
    return std::max(slice, shortest_slice);
}

Decision FairPolicy::pick_next(CpuId cpu, Nanoseconds now) {
    idle_.remove(cpu);
    bool look_around = false;
    {
        Held queue(at(cpu));
        PX_ASSERT(queue->leaving == nullptr);
        queue->charge(now);
        queue->release_parked(now);
        look_around = online_.has(cpu) && now >= queue->balance_at;
        if (look_around) queue->balance_at = now + queue->tunables().slice;
        else if (Unit* unit = choose_unit(cpu, *queue, now)) return {unit, slice_of(*queue, *unit, now)};
    }
    if (look_around) pull_laggard(cpu, now);
    while (true) {
        Nanoseconds wait = Nanoseconds::never();
        {
            Held queue(at(cpu));
            if (Unit* unit = choose_unit(cpu, *queue, now)) return {unit, slice_of(*queue, *unit, now)};
            if (const Unit* parked = queue->parked.first()) { wait = std::max(parked->policy.release - now, shortest_slice); }
            if (!online_.has(cpu)) return {nullptr, Nanoseconds::never()};
            idle_.add(cpu);
        }
        if (!steal(cpu, now)) return {nullptr, wait};
        idle_.remove(cpu);
    }
}

void FairPolicy::take(Unit& unit, FairQueue& from, FairQueue& to, CpuId cpu) {
    const VirtualTime position = from.to_pool(unit.policy.virtual_time);
    from.leave(unit);
    unit.policy.home.store(cpu.raw, std::memory_order_release);
    to.join(unit, position, Arrival::moved);
    ++to.statistics.migrations;
}

bool FairPolicy::steal(CpuId cpu, Nanoseconds now) {
    for (const bool anyone : {false, true}) {  // first those that would like to be here
        CpuMask others = cpus();
        others.remove(cpu);
        for (CpuId victim = cpu; !others.empty(); others.remove(victim)) {
            victim = *others.next_after(victim);
            if (at(victim).hints.waiting.load(std::memory_order_seq_cst) == 0) continue;
            if (steal_from(victim, cpu, anyone, now)) return true;
        }
    }
    return false;
}

bool FairPolicy::steal_from(CpuId victim, CpuId cpu, bool anyone, Nanoseconds now) {
    HeldPair pair(*this, victim, cpu);
    if (!online_.has(cpu)) return false;
    for (Unit* unit = pair.a().waiting.first(); unit != nullptr; unit = pair.a().waiting.next(*unit)) {
        const CpuMask places = anyone ? allowed(*unit) : preferred(*unit);
        if (!places.has(cpu) || unit->group.barred_until(now) != Nanoseconds{0}) continue;
        take(*unit, pair.a(), pair.b(), cpu);
        ++pair.b().statistics.steals;
        return true;
    }
    return false;
}

void FairPolicy::pull_laggard(CpuId cpu, Nanoseconds now) {
    std::optional<CpuId> last;
    VirtualTime lowest = 0;
    VirtualTime leader = at(cpu).hints.clock.load(std::memory_order_relaxed);
    CpuMask others = cpus();
    others.remove(cpu);
    for (CpuId other : others) {
        const auto& hints = at(other).hints;
        const VirtualTime clock = hints.clock.load(std::memory_order_relaxed);
        if (hints.load.load(std::memory_order_relaxed) != 0 && before(leader, clock)) leader = clock;
        if (hints.waiting.load(std::memory_order_relaxed) == 0) continue;
        const VirtualTime laggard = hints.laggard.load(std::memory_order_relaxed);
        if (!last || before(laggard, lowest)) last = other, lowest = laggard;
    }
    {
        Held queue(at(cpu));
        queue->forgive_lag(leader);
        if (!queue->competing()) return;  // an idle CPU steals instead
    }
    if (!last || !before(lowest, at(cpu).hints.clock.load(std::memory_order_relaxed))) return;

    HeldPair pair(*this, *last, cpu);
    if (!online_.has(cpu)) return;
    Unit* unit = pair.a().waiting.first();
    for (unsigned looked = 0; unit != nullptr && looked < pull_search; ++looked, unit = pair.a().waiting.next(*unit)) {
        const VirtualTime lag_allowed = FairQueue::at_weight_of(*unit, pair.b().tunables().slice);
        if (!before(pair.a().to_pool(unit->policy.virtual_time) + lag_allowed, pair.b().clock())) continue;
        if (!preferred(*unit).has(cpu) || unit->group.barred_until(now) != Nanoseconds{0}) continue;
        take(*unit, pair.a(), pair.b(), cpu);
        ++pair.b().statistics.pulls;
        return;
    }
}

}  // namespace px::sched
