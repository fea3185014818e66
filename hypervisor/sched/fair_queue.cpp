// One CPU's run queue of the fair policy: see fair_queue.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/sched/fair_queue.hpp"

namespace px::sched {

VirtualTime FairQueue::at_weight_of(const Unit& unit, Nanoseconds service) {
    return static_cast<u64>(service.raw) * Parameters::default_weight / unit.policy.weight;
}

void FairQueue::reset(const FairTunables& tunables) {
    PX_ASSERT(waiting.empty() && parked.empty() && running == nullptr && leaving == nullptr && load_ == 0);
    tunables_ = tunables;
    floor_ = base_ = 0;
    balance_at = Nanoseconds{0};
}

void FairQueue::join(Unit& unit, VirtualTime position, Arrival arrival) {
    auto& part = unit.policy;
    part.weight = unit.group.parameters().weight;
    const VirtualTime carry = at_weight_of(unit, carry_limit());
    const VirtualTime behind = arrival == Arrival::woken ? at_weight_of(unit, sleep_credit()) : carry;
    const bool alone = !competing();
    VirtualTime local = position - base_;
    if ((!alone || arrival == Arrival::woken) && before(local, floor_ - behind)) local = floor_ - behind;
    if (alone) {  // nobody here to be fair to: the queue's clock becomes the unit's
        base_ += local - floor_;
        local = floor_;
    } else if (before(floor_ + carry, local)) {
        local = floor_ + carry;
    }
    part.virtual_time = local;
    part.state = UnitState::waiting;
    load_ += part.weight;
    waiting.insert(unit);
}

void FairQueue::leave(Unit& unit) {
    if (unit.policy.state == UnitState::parked) {
        parked.erase(unit);
    } else {
        PX_ASSERT(unit.policy.state == UnitState::waiting);
        waiting.erase(unit);
        load_ -= unit.policy.weight;
        advance_floor();
    }
    unit.policy.state = UnitState::in_transit;
}

Unit* FairQueue::first_eligible(Nanoseconds now) {
    while (Unit* unit = waiting.first()) {
        const Nanoseconds release = unit->group.barred_until(now);
        if (release == Nanoseconds{0}) return unit;
        leave(*unit);
        unit->policy.release = release;
        unit->policy.state = UnitState::parked;
        parked.insert(*unit);
    }
    return nullptr;
}

void FairQueue::release_parked(Nanoseconds now) {
    while (Unit* unit = parked.first()) {
        if (unit->policy.release > now) break;
        leave(*unit);
        join(*unit, to_pool(unit->policy.virtual_time), Arrival::woken);
    }
}

void FairQueue::start(Unit& unit, Nanoseconds now) {
    auto& part = unit.policy;
    PX_ASSERT(part.state == UnitState::waiting && running == nullptr);
    waiting.erase(unit);
    running = &unit;
    part.state = UnitState::running;
    part.on_cpu.store(true, std::memory_order_relaxed);
    part.yielded = false;
    part.started = part.switched_in = now;
}

void FairQueue::stop_running() {
    PX_ASSERT(leaving == nullptr);
    leaving = std::exchange(running, nullptr);
    leaving->policy.state = UnitState::leaving;
    advance_floor();
}

void FairQueue::finish_leaving() {
    Unit& unit = *std::exchange(leaving, nullptr);
    load_ -= unit.policy.weight;
    unit.policy.state = unit.policy.runnable ? UnitState::in_transit : UnitState::blocked;
    unit.policy.on_cpu.store(false, std::memory_order_release);
}

void FairQueue::charge(Nanoseconds now) {
    if (running == nullptr) return;
    auto& part = running->policy;
    const Nanoseconds delta = now - part.started;
    if (delta > Nanoseconds{0}) {
        part.started = now;
        part.run_time += delta;
        const u64 scaled = static_cast<u64>(delta.raw) * Parameters::default_weight + part.residue;
        part.virtual_time += scaled / part.weight;
        part.residue = static_cast<u32>(scaled % part.weight);
        running->group.charge(delta, now);
    }
    if (const u32 weight = running->group.parameters().weight; weight != part.weight) {
        load_ += weight;
        load_ -= part.weight;
        part.weight = weight;
        part.residue = 0;
    }
    advance_floor();
}

VirtualTime FairQueue::running_position(Nanoseconds now) const {
    const Nanoseconds delta = std::max(now - running->policy.started, Nanoseconds{0});
    return running->policy.virtual_time + at_weight_of(*running, delta);
}

void FairQueue::advance_floor() {
    const Unit* lowest = waiting.first();
    if (running != nullptr && (lowest == nullptr || ByVirtualTime{}(*running, *lowest))) lowest = running;
    if (lowest != nullptr && before(floor_, lowest->policy.virtual_time)) floor_ = lowest->policy.virtual_time;
}

void FairQueue::forgive_lag(VirtualTime leader) {
    const u64 units = waiting.size() + (running != nullptr);
    const VirtualTime service = static_cast<u64>(carry_limit().raw) * 2;
    const VirtualTime window = units == 0 || load_ == 0 ? service : service * Parameters::default_weight * units / load_;
    const i64 lag = static_cast<i64>(leader - clock());
    if (lag > 0 && static_cast<u64>(lag) > window) base_ += static_cast<u64>(lag) - window;
}

}  // namespace px::sched
