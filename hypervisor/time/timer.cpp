// Software timers: see timer.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/time/timer.hpp"

#include "arch/cpu.hpp"

namespace px {

TimerQueue::HomeLock TimerQueue::lock_home(Timer& timer) {
    while (true) {
        TimerQueue& home = *timer.home_.load(std::memory_order_acquire);
        auto state = home.state_.lock();
        if (timer.home_.load(std::memory_order_relaxed) == &home) return {home, std::move(state)};
    }
}

template <class Body>
void TimerQueue::with_both(TimerQueue& a, TimerQueue& b, Body body) {
    PX_ASSERT(a.cpu_ != b.cpu_);
    const bool a_first = a.cpu_ < b.cpu_;
    auto outer = (a_first ? a : b).state_.lock();
    auto inner = (a_first ? b : a).state_.lock_same_rank();
    body(a_first ? *outer : *inner, a_first ? *inner : *outer);
}

Nanoseconds TimerQueue::earliest(State& state) {
    const Timer* timer = state.armed.first();
    return timer == nullptr ? Nanoseconds::never() : timer->deadline_;
}

void TimerQueue::program(State& state, Nanoseconds deadline) {
    state.programmed = deadline;
    hardware_.program(hardware_.context, cpu_, deadline);
}

void TimerQueue::insert(State& state, Timer& timer) {
    state.armed.insert(timer);
    if (timer.deadline_ < state.programmed) program(state, timer.deadline_);
}

void Timer::arm(Nanoseconds deadline) {
    auto [home, state] = TimerQueue::lock_home(*this);
    if (in_tree()) state->armed.erase(*this);
    deadline_ = deadline;
    home.insert(*state, *this);
}

bool Timer::cancel() {
    auto [home, state] = TimerQueue::lock_home(*this);
    const bool was_armed = in_tree();
    if (was_armed) state->armed.erase(*this);
    return was_armed;
}

void Timer::wait_for_callback() const {
    while (running_.load(std::memory_order_acquire)) arch::cpu_relax();
}

void Timer::cancel_sync() {
    while (true) {
        wait_for_callback();
        auto [home, state] = TimerQueue::lock_home(*this);
        if (in_tree()) state->armed.erase(*this);
        // Starting a callback takes this lock and an armed timer, so "not running" stays true once seen here.
        if (!running_.load(std::memory_order_acquire)) return;
    }
}

void Timer::move_to(TimerQueue& target) {
    for (bool moved = false; !moved;) {
        wait_for_callback();
        TimerQueue& home = *home_.load(std::memory_order_acquire);
        if (&home == &target) return;
        TimerQueue::with_both(home, target, [&](auto& from, auto& to) {
            if (home_.load(std::memory_order_relaxed) != &home || running_.load(std::memory_order_acquire)) return;
            const bool was_armed = in_tree();
            if (was_armed) from.armed.erase(*this);
            home_.store(&target, std::memory_order_release);
            if (was_armed) target.insert(to, *this);
            moved = true;
        });
    }
}

void TimerQueue::run_expired(Nanoseconds now) {
    for (unsigned count = 0; count < batch; ++count) {
        auto state = state_.lock();
        Timer* timer = state->armed.first();
        if (timer == nullptr || timer->deadline_ > now) break;
        state->armed.erase(*timer);
        timer->running_.store(true, std::memory_order_relaxed);
        state.unlock();
        timer->callback_(timer->context_, now);
        timer->running_.store(false, std::memory_order_release);
    }
    auto state = state_.lock();
    program(*state, earliest(*state));
}

Nanoseconds TimerQueue::next_deadline() {
    auto state = state_.lock();
    return earliest(*state);
}

void TimerQueue::evacuate(TimerQueue& target) {
    with_both(*this, target, [&](State& from, State& to) {
        while (Timer* timer = from.armed.first()) {
            from.armed.erase(*timer);
            timer->home_.store(&target, std::memory_order_release);
            target.insert(to, *timer);
        }
        program(from, Nanoseconds::never());
    });
}

}  // namespace px
