// A readers-writer spinlock that owns its data, for what is read much more often than it changes.
//
// Readers don't exclude each other, and none waits for another: where CPUs are themselves scheduled (a nested host), a queue
// of readers behind one that doesn't run would stop them all. A writer keeps new readers out while it waits for the old ones.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/spinlock.hpp"

namespace px {

/// The lock without data; use RwLocked<T> unless the data can't be owned by one object.
class RwLock {
public:
    void acquire_shared() {
        while ((state_.fetch_add(1, std::memory_order_acquire) & writing) != 0) {
            state_.fetch_sub(1, std::memory_order_relaxed);
            while ((state_.load(std::memory_order_relaxed) & writing) != 0) arch::cpu_relax();
        }
    }
    void release_shared() { state_.fetch_sub(1, std::memory_order_release); }

    void acquire() {
        writers_.acquire();
        state_.fetch_or(writing, std::memory_order_acquire);
        while (state_.load(std::memory_order_acquire) != writing) arch::cpu_relax();
    }
    void release() {
        state_.fetch_and(~writing, std::memory_order_release);
        writers_.release();
    }

private:
    static constexpr u32 writing = u32{1} << 31;
    std::atomic<u32> state_{0};  ///< readers, and whether a writer is or waits
    TicketLock writers_;
};

/// As Locked, with a second kind of guard that shares. A reader must not lock again. Not for interrupt handlers.
template <class T, LockRank rank>
class RwLocked {
    static_assert(!irq_safe(rank));

public:
    template <class... Args>
    constexpr explicit RwLocked(Args&&... args) : data_(std::forward<Args>(args)...) {}
    RwLocked(const RwLocked&) = delete;
    RwLocked& operator=(const RwLocked&) = delete;

    class [[nodiscard]] Guard {
    public:
        explicit Guard(RwLocked& owner) : owner_(owner) {
            if constexpr (check_lock_ranks) lock_rank_acquire(rank, false);
            owner_.lock_.acquire();
        }
        Guard(const Guard&) = delete;
        ~Guard() {
            owner_.lock_.release();
            if constexpr (check_lock_ranks) lock_rank_release(rank);
        }
        T* operator->() const { return &owner_.data_; }
        T& operator*() const { return owner_.data_; }

    private:
        RwLocked& owner_;
    };

    class [[nodiscard]] SharedGuard {
    public:
        explicit SharedGuard(RwLocked& owner) : owner_(owner) {
            if constexpr (check_lock_ranks) lock_rank_acquire(rank, false);
            owner_.lock_.acquire_shared();
        }
        SharedGuard(const SharedGuard&) = delete;
        ~SharedGuard() {
            owner_.lock_.release_shared();
            if constexpr (check_lock_ranks) lock_rank_release(rank);
        }
        const T* operator->() const { return &owner_.data_; }
        const T& operator*() const { return owner_.data_; }

    private:
        RwLocked& owner_;
    };

    Guard lock() { return Guard(*this); }
    SharedGuard lock_shared() { return SharedGuard(*this); }
    /// Only where exclusion is known by other means (creation, the last reference, a crash).
    T& unlocked() { return data_; }
    const T& unlocked() const { return data_; }

private:
    RwLock lock_;
    T data_;
};

}  // namespace px
