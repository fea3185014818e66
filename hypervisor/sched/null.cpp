// The null policy: see null.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/sched/null.hpp"

namespace px::sched {

CpuMask NullPolicy::allowed(const Unit& unit) const {
    const CpuMask result = unit.policy.hard & cpus();
    return result.empty() ? cpus() : result;
}

/// The CPU that the unit owns, or null.
NullPolicy::Slot* NullPolicy::slot_of(State& state, const Unit& unit) {
    Slot& slot = state.slots[unit.cpu().raw];
    return slot.owner == &unit ? &slot : nullptr;
}

void NullPolicy::assign(State& state, Unit& unit, CpuId cpu) {
    Slot& slot = state.slots[cpu.raw];
    slot.owner = &unit;
    if (unit.cpu() != cpu) ++slot.statistics.migrations;
    unit.policy.home.store(cpu.raw, std::memory_order_release);
    unit.policy.state = unit.policy.runnable ? UnitState::waiting : UnitState::blocked;
    environment_.kick(cpu);
}

/// Takes the unit's CPU away. If it is on it, it stays so until context_saved(), and has no other meanwhile.
void NullPolicy::release(State& state, Unit& unit) {
    Slot* slot = slot_of(state, unit);
    if (slot == nullptr) return;
    slot->owner = nullptr;
    environment_.kick(unit.cpu());
}

bool NullPolicy::find_cpu(State& state, Unit& unit) {
    const CpuMask possible = allowed(unit);
    for (const CpuMask& candidates : {possible & unit.policy.soft, possible}) {
        for (CpuId cpu : candidates) {
            if (state.slots[cpu.raw].owner != nullptr) continue;
            assign(state, unit, cpu);
            return true;
        }
    }
    return false;
}

void NullPolicy::serve_the_queue(State& state) {
    for (auto at = state.without_cpu.begin(); at != state.without_cpu.end();) {
        Unit& unit = *at++;
        if (unit.on_cpu()) continue;  // its registers are still on the CPU that it lost; context_saved() comes back here
        state.without_cpu.erase(unit);
        if (find_cpu(state, unit)) continue;
        if (at == state.without_cpu.end()) state.without_cpu.push_back(unit);
        else state.without_cpu.insert_before(*at, unit);
    }
}

Result<> NullPolicy::add_cpu(CpuId cpu) {
    REQUIRE(cpu.raw < CpuMask::capacity, einval);
    auto state = state_.lock();
    REQUIRE(!online_.has(cpu), eexist);
    const Slot& slot = state->slots[cpu.raw];
    REQUIRE(slot.running == nullptr && slot.leaving == nullptr, ebusy);
    online_.add(cpu);
    serve_the_queue(*state);
    return {};
}

Result<> NullPolicy::remove_cpu(CpuId cpu) {
    auto state = state_.lock();
    REQUIRE(cpu.raw < CpuMask::capacity && online_.has(cpu), enoent);
    REQUIRE(state->units == 0 || cpus().count() > 1, ebusy);
    online_.remove(cpu);
    if (Unit* unit = state->slots[cpu.raw].owner) {
        release(*state, *unit);
        state->without_cpu.push_back(*unit);
        serve_the_queue(*state);
    }
    environment_.kick(cpu);
    return {};
}

bool NullPolicy::cpu_drained(CpuId cpu) {
    auto state = state_.lock();
    const Slot& slot = state->slots[cpu.raw];
    return !online_.has(cpu) && slot.running == nullptr && slot.leaving == nullptr;
}

Result<> NullPolicy::add_unit(Unit& unit) {
    auto state = state_.lock();
    REQUIRE(!cpus().empty(), enodev);
    unit.policy.runnable = false;
    unit.policy.state = UnitState::blocked;
    ++state->units;
    state->without_cpu.push_back(unit);
    serve_the_queue(*state);
    return {};
}

void NullPolicy::remove_unit(Unit& unit) {
    auto state = state_.lock();
    PX_ASSERT(!unit.policy.runnable && !unit.on_cpu());
    if (slot_of(*state, unit) != nullptr) release(*state, unit);
    else state->without_cpu.erase(unit);
    unit.policy.state = UnitState::detached;
    --state->units;
    serve_the_queue(*state);
}

void NullPolicy::wake(Unit& unit) {
    auto state = state_.lock();
    unit.policy.runnable = true;
    if (unit.policy.state == UnitState::blocked) unit.policy.state = UnitState::waiting;
    if (slot_of(*state, unit) != nullptr) environment_.kick(unit.cpu());
}

void NullPolicy::sleep(Unit& unit) {
    auto state = state_.lock();
    unit.policy.runnable = false;
    if (unit.policy.state == UnitState::waiting) unit.policy.state = UnitState::blocked;
    if (unit.policy.state == UnitState::running) environment_.kick(unit.cpu());
}

Decision NullPolicy::pick_next(CpuId cpu, Nanoseconds now) {
    auto state = state_.lock();
    Slot& slot = state->slots[cpu.raw];
    PX_ASSERT(slot.leaving == nullptr);
    if (slot.running != nullptr) {
        auto& part = slot.running->policy;
        part.run_time += std::max(now - part.started, Nanoseconds{0});
        part.started = now;
    }
    Unit* next = slot.owner != nullptr && slot.owner->policy.runnable ? slot.owner : nullptr;
    if (next != slot.running) {
        ++slot.statistics.switches;
        if (slot.running != nullptr) slot.running->policy.state = UnitState::leaving;
        slot.leaving = std::exchange(slot.running, next);
        if (next != nullptr) {
            next->policy.state = UnitState::running;
            next->policy.started = next->policy.switched_in = now;
            next->policy.on_cpu.store(true, std::memory_order_relaxed);
        }
    }
    return {next, Nanoseconds::never()};
}

void NullPolicy::context_saved(Unit& unit) {
    auto state = state_.lock();
    Slot& slot = state->slots[unit.cpu().raw];  // it can't have been given another while it was on this one
    PX_ASSERT(slot.leaving == &unit);
    slot.leaving = nullptr;
    unit.policy.state = unit.policy.runnable ? UnitState::waiting : UnitState::blocked;
    unit.policy.on_cpu.store(false, std::memory_order_release);
    if (slot_of(*state, unit) == nullptr) serve_the_queue(*state);
    else if (unit.policy.runnable) environment_.kick(unit.cpu());
}

Result<> NullPolicy::set_affinity(Unit& unit, const CpuMask& hard, const CpuMask& soft) {
    auto state = state_.lock();
    REQUIRE(hard.intersects(cpus()), einval);
    unit.policy.hard = hard;
    unit.policy.soft = soft;
    if (slot_of(*state, unit) != nullptr && !allowed(unit).has(unit.cpu())) {
        release(*state, unit);
        state->without_cpu.push_back(unit);
    }
    serve_the_queue(*state);
    return {};
}

Result<> NullPolicy::migrate(Unit& unit, CpuId cpu) {
    auto state = state_.lock();
    REQUIRE(cpu.raw < CpuMask::capacity && allowed(unit).has(cpu), einval);
    const Slot* own = slot_of(*state, unit);
    if (own == &state->slots[cpu.raw]) return {};
    REQUIRE(state->slots[cpu.raw].owner == nullptr && !unit.on_cpu(), ebusy);
    if (own != nullptr) release(*state, unit);
    else state->without_cpu.erase(unit);
    assign(*state, unit, cpu);
    serve_the_queue(*state);
    return {};
}

Nanoseconds NullPolicy::run_time(Unit& unit) {
    auto state = state_.lock();
    const auto& part = unit.policy;
    if (part.state != UnitState::running) return part.run_time;
    return part.run_time + std::max(environment_.now() - part.started, Nanoseconds{0});
}

Statistics NullPolicy::statistics(CpuId cpu) { return state_.lock()->slots[cpu.raw].statistics; }

void NullPolicy::dump() {
    auto state = state_.lock();
    log_reply("scheduler null: {} units, {} without a CPU", state->units, state->without_cpu.size());
    for (CpuId cpu : cpus()) {
        const Unit* owner = state->slots[cpu.raw].owner;
        if (owner != nullptr) log_reply("  cpu {}: d{}v{}", cpu, owner->group.domain(), owner->id);
    }
}

}  // namespace px::sched
