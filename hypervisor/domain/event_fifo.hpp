// FIFO event channels: one event word per port, one queue per priority and vCPU, in the guest's own frames.
//
//   control block of a vCPU:  ready (bit per queue)   head[0…15] ──► port a
//   event words:              [a] PENDING LINKED link=b ──► [b] PENDING LINKED link=0 ◄── tail (ours)
//
// The hypervisor appends at the tail, which it keeps to itself; the guest takes from the head. Nothing here follows a link
// that the guest could have written. [xen/public event_channel.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>

#include "hypervisor/abi/event_channel.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/mm/heap.hpp"
#include "hypervisor/mm/writable_frame.hpp"

namespace px {

class Domain;
class Vcpu;
struct EventChannel;

class FifoEvents {
public:
    static constexpr u32 words_per_frame = page_size / sizeof(u32);
    static constexpr u32 max_frames = abi::evtchn_fifo::nr_channels / words_per_frame;

    /// Room for the domain's vCPUs. Errors: enomem.
    static Result<Box<FifoEvents>> create(Domain& domain);
    /// Use make: public only for that.
    explicit FifoEvents(Domain& domain) : domain_(domain) {}
    ~FifoEvents();

    // Under the table lock.
    /// Errors: einval (frame, offset, twice), enomem.
    Result<> add_control_block(Vcpu& vcpu, Gfn gfn, u32 offset);
    /// The frame serves the next words_per_frame ports; returns the first of them. Errors: enospc, einval.
    Result<EvtPort> add_words(Gfn gfn);

    // Under a lock that keeps the port open. `vcpu` is who is told; nullptr: nobody yet.
    /// True where it wasn't pending before.
    bool set_pending(Vcpu* vcpu, EvtPort port, EventChannel& channel);
    void unmask(Vcpu* vcpu, EvtPort port, EventChannel& channel);
    /// The event came before its word: deliver it now if it is still owed.
    void deliver_early(Vcpu* vcpu, EvtPort port, EventChannel& channel);
    bool is_pending(EvtPort port, const EventChannel& channel) const;

    // Under the table lock.
    void clear_pending(EvtPort port, EventChannel& channel);
    /// Linked still, though closed: the port can't be used again before the guest has taken it from its queue.
    bool is_busy(EvtPort port) const;

private:
    struct Queues {
        WritableFrame frame;
        std::array<u32, abi::evtchn_fifo::max_queues> tail{};  ///< port; 0: the queue is empty or unknown
    };
    /// Of one vCPU.
    struct VcpuQueues {
        std::atomic<abi::EvtchnFifoControlBlock*> control{nullptr};
        Locked<Queues, LockRank::event_queue> queues;
    };
    /// Where an event was linked last.
    struct QueueId {
        u32 vcpu;
        u8 priority;
        constexpr u32 pack() const { return vcpu << 8 | priority; }
        static constexpr QueueId unpack(u32 value) { return {value >> 8, static_cast<u8>(value)}; }
    };

    u32* word(EvtPort port) const { return words_of(port) == nullptr ? nullptr : words_of(port) + port.raw % words_per_frame; }
    u32* words_of(EvtPort port) const { return words_[port.raw / words_per_frame].load(std::memory_order_acquire); }
    void link(Vcpu& vcpu, EvtPort port, EventChannel& channel, u32& event);
    bool append(VcpuQueues& vcpu, Queues& queues, u8 priority, EvtPort port);
    bool link_behind(EvtPort tail, EvtPort port);

    Domain& domain_;
    HeapArray<VcpuQueues*> vcpus_;  ///< by number: for every vCPU that can ever be
    std::array<std::atomic<u32*>, max_frames> words_{};
    std::array<WritableFrame, max_frames> word_frames_{};
    u32 frames_ = 0;
};

}  // namespace px
