// Spinlocks that own their data, have a rank, and know whether interrupt handlers take them.
//
// Locked<T, rank> can be reached only through lock(): the guard is the pointer to the data. Ranks rise inwards: a CPU
// that holds a lock may only take locks of a higher rank, which makes deadlock by order impossible; checked in debug
// builds (PX_DEBUG_LOCKS) and on the host. A lock whose rank is ≥ first_irq_safe disables interrupts while held, for
// interrupt handlers take such locks as well.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <utility>

#include "arch/cpu.hpp"
#include "hypervisor/base/lock_ranks.hpp"
#include "hypervisor/base/types.hpp"

namespace px {

/// Order in which locks nest, outermost first.
enum class LockRank : u8 {
    domctl,           ///< one toolstack operation at a time
    domain_list,      ///< the table of domains
    domain,           ///< a domain's life: pause counts, creation of vCPUs
    pci,              ///< the hardware domain's view of PCI
    grant_maps,       ///< a domain's table of mapped grants (maptrack)
    grant_table,      ///< a domain's grant table;
    event_channels,   ///< a domain's port table
    p2m,              ///< a domain's physmap
    page_table,       ///< the entries of one page table of a PV guest: a bit of its frame's record; never two
    ldt,              ///< which pages of a PV vCPU's LDT are mapped
    domain_memory,    ///< a domain's list of frames and its counters
    heap,             ///< object heap
    frame_allocator,  ///< buddy allocator
    vcpu_list,
    // Everything from here on is taken by interrupt handlers as well.
    first_irq_safe,
    event_channel,  ///< one event port; two at once: lower (domain, port) first
    event_queue,    ///< a vCPU's FIFO event queues
    vcpu_irq,       ///< a vCPU's interrupt controller state
    irq,            ///< a physical interrupt line
    vcpu_state,     ///< a vCPU's runstate clock
    run_queue,      ///< a CPU's run queue; two at once: lower CPU first
    timers,         ///< a CPU's timers
    ipi_call,       ///< a function call across CPUs
    console,        ///< console devices and log ring: may be taken anywhere
};

constexpr bool irq_safe(LockRank rank) { return rank >= LockRank::first_irq_safe; }

#ifdef PX_DEBUG_LOCKS
inline constexpr bool check_lock_ranks = true;
#else
inline constexpr bool check_lock_ranks = false;
#endif

/// Fair ticket lock without data; use Locked<T> unless the data can't be owned by one object.
class TicketLock {
public:
    void acquire() {
        const u32 ticket = next_.fetch_add(1, std::memory_order_relaxed);
        while (serving_.load(std::memory_order_acquire) != ticket) arch::cpu_relax();
    }
    bool try_acquire() {
        u32 ticket = serving_.load(std::memory_order_relaxed);
        return next_.compare_exchange_strong(ticket, ticket + 1, std::memory_order_acquire);
    }
    void release() { serving_.store(serving_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
    bool is_held() const { return next_.load(std::memory_order_relaxed) != serving_.load(std::memory_order_relaxed); }

private:
    std::atomic<u32> next_{0};
    std::atomic<u32> serving_{0};
};

template <class T, LockRank rank>
class Locked {
public:
    template <class... Args>
    constexpr explicit Locked(Args&&... args) : data_(std::forward<Args>(args)...) {}
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

    /// Holds the lock for its life and gives access to the data.
    class [[nodiscard]] Guard {
    public:
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        Guard(Guard&& other) : owner_(std::exchange(other.owner_, nullptr)), irq_state_(other.irq_state_) {}
        ~Guard() { unlock(); }
        T* operator->() const { return &owner_->data_; }
        T& operator*() const { return owner_->data_; }
        /// Early release; the guard must not be used afterwards.
        void unlock() {
            if (owner_ == nullptr) return;
            owner_->lock_.release();
            if constexpr (check_lock_ranks) lock_rank_release(rank);
            if constexpr (irq_safe(rank)) arch::irq_restore(irq_state_);
            owner_ = nullptr;
        }

    private:
        friend class Locked;
        explicit Guard(Locked* owner, [[maybe_unused]] bool same_rank_allowed) : owner_(owner) {
            if constexpr (irq_safe(rank)) irq_state_ = arch::irq_save();
            if constexpr (check_lock_ranks) lock_rank_acquire(rank, same_rank_allowed);
            owner_->lock_.acquire();
        }
        Locked* owner_;
        arch::IrqState irq_state_{};
    };

    Guard lock() { return Guard(this, false); }
    /// For a second lock of the same rank; the caller follows the order that the rank's comment gives.
    Guard lock_same_rank() { return Guard(this, true); }
    /// Only where exclusion is known by other means (creation, the last reference, a crash).
    T& unlocked() { return data_; }
    const T& unlocked() const { return data_; }

private:
    TicketLock lock_;
    T data_;
};

}  // namespace px
