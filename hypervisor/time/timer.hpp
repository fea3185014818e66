// Software timers: each CPU has a queue of them, ordered by deadline; the hardware is set to the earliest.
//
// A Timer has a home queue (a CPU), on which it is armed and on which its callback runs, from run_expired(), with no lock
// held. A callback never runs concurrently with itself. It may arm or cancel its own timer and any other, but neither
// destroy its own nor call cancel_sync() or move_to() on it.
//
// Synchronisation: everything about a timer is under the lock of its home queue (LockRank::timers); the home itself
// changes under the locks of both. All functions may be called from any CPU, also from interrupt handlers, but for
// run_expired(), which is the queue's own CPU's, in its softirq loop.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/nanoseconds.hpp"
#include "hypervisor/base/ordered_tree.hpp"
#include "hypervisor/base/spinlock.hpp"

namespace px {

class TimerQueue;

class Timer : private TreeHook<Timer> {
public:
    using Callback = void (*)(void* context, Nanoseconds now);

    Timer(TimerQueue& home, Callback callback, void* context) : home_(&home), callback_(callback), context_(context) {}
    ~Timer() { PX_ASSERT(!armed() && !running_.load(std::memory_order_relaxed)); }

    /// The callback will run once, at or after `deadline`; a deadline in the past is due at once. Replaces an earlier one.
    void arm(Nanoseconds deadline);
    /// Whether it was armed. The callback may be running on the home CPU still, and may arm the timer again.
    bool cancel();
    /// After it returns the timer is not armed and the callback isn't running, so the timer may be destroyed (if nobody
    /// else arms it). Waits for a running callback: the caller holds no lock that the callback takes, and is not the
    /// callback of this timer nor of one that this timer's callback waits for.
    void cancel_sync();
    /// Changes the home, keeping the deadline. Waits as cancel_sync() does.
    void move_to(TimerQueue& home);

    /// A snapshot: meaningful as far as the caller keeps others from arming and cancelling.
    bool armed() const { return in_tree(); }
    /// Of the last arm().
    Nanoseconds deadline() const { return deadline_; }

private:
    friend class TimerQueue;
    template <class, class, class>
    friend class OrderedTree;

    void wait_for_callback() const;

    std::atomic<TimerQueue*> home_;
    Callback callback_;
    void* context_;
    Nanoseconds deadline_;
    /// Set under the home's lock before the callback; cleared after it, as the queue's last access to the timer.
    std::atomic<bool> running_{false};
};

/// How a queue sets its CPU's hardware. Called with the queue's lock held and interrupts off, possibly on another CPU:
/// then it makes `cpu` call run_expired() or program its hardware, without waiting for it. `deadline` may be in the
/// past, and Nanoseconds::never() means that nothing is armed. An interrupt that comes too early is harmless.
struct TimerHardware {
    void (*program)(void* context, CpuId cpu, Nanoseconds deadline);
    void* context;
};

class TimerQueue {
public:
    /// Callbacks that one run_expired() runs at most, so that a storm of timers can't keep a CPU from its guests.
    static constexpr unsigned batch = 64;

    TimerQueue(CpuId cpu, TimerHardware hardware) : cpu_(cpu), hardware_(hardware) {}

    CpuId cpu() const { return cpu_; }

    /// Runs the callbacks that are due, in order of their deadlines, then programs the hardware for the next (at once, if
    /// `batch` left some over).
    void run_expired(Nanoseconds now);

    /// Nanoseconds::never() when nothing is armed.
    Nanoseconds next_deadline();

    /// Moves all timers to `target`: the CPU goes offline. No callback of this queue is running.
    void evacuate(TimerQueue& target);

private:
    friend class Timer;

    struct Earlier {
        bool operator()(const Timer& a, const Timer& b) const { return a.deadline_ < b.deadline_; }
    };
    struct State {
        OrderedTree<Timer, Earlier, Timer> armed;
        /// What the hardware is set to. It is left too early after a cancel: a spurious interrupt is cheaper.
        Nanoseconds programmed = Nanoseconds::never();
    };
    using Lockable = Locked<State, LockRank::timers>;

    /// The home's lock; the home may change until it is held.
    struct HomeLock {
        TimerQueue& home;
        Lockable::Guard state;
    };
    static HomeLock lock_home(Timer& timer);

    /// Both locks, lower CPU first: calls body(state of a, state of b).
    template <class Body>
    static void with_both(TimerQueue& a, TimerQueue& b, Body body);

    static Nanoseconds earliest(State& state);
    void insert(State& state, Timer& timer);
    void program(State& state, Nanoseconds deadline);

    const CpuId cpu_;
    const TimerHardware hardware_;
    Lockable state_;
};

}  // namespace px
