// The frame table: one record for every frame of RAM, and references to frames.
//
// Every frame has an owner, a reference count and a typed use count. Whoever maps a frame holds a reference; a frame of
// a domain also carries one *allocation* reference, dropped when the domain gives it up. The last reference frees it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <utility>

#include "arch/memory.hpp"
#include "hypervisor/base/types.hpp"

namespace px {

class Domain;

/// A record is 32 bytes: the table costs 0.8 % of RAM.
struct Frame {
    enum Flag : u8 {
        free_head = 1,        ///< first frame of a free block of the buddy allocator, `order` is valid
        domain_listed = 2,    ///< on its owner's list of frames
        allocation_held = 4,  ///< the owner's allocation reference has not been dropped
        reserved_home = 8,    ///< 1:1 memory of the hardware domain: ballooned out, it stays reserved for its gfn
    };
    /// `use` of a frame that the hypervisor itself writes while a guest may map it: for the frame's life it is nothing else.
    static constexpr u32 use_shared = 0xe8000001;
    std::atomic<u32> references{0};  ///< 0: free, or never RAM of ours
    /// Arch use type (top 8 bits) and its count (low 24); PV page tables rest on it. While free: arch::freed_stamp().
    std::atomic<u32> use{0};
    Domain* owner = nullptr;  ///< nullptr: the hypervisor itself, or free
    u32 next = 0, prev = 0;   ///< links of the list that it is on, as frame numbers; 0 ends a list (frame 0 is never listed)
    /// While free: serial of the domain whose data it may hold; 0: zeroed or the hypervisor's. While it has an owner: what the
    /// architecture keeps beside `use`; 0 at first.
    std::atomic<u32> state{0};
    u8 order = 0;  ///< size of the free block that it heads
    u8 node = 0;   ///< NUMA node
    std::atomic<u8> flags{0};
    u8 is_ram = 0;  ///< 1: this frame exists; arch::is_ram() reads it
};
static_assert(sizeof(Frame) == 32);

/// The record of a frame; only where has_frame(mfn).
inline Frame& frame_of(Mfn mfn) { return arch::frame_table()[mfn.raw]; }
inline Mfn mfn_of(const Frame& frame) { return Mfn{static_cast<u64>(&frame - arch::frame_table())}; }
/// True for frames of RAM within the frame table; any number may be asked.
inline bool has_frame(Mfn mfn) { return arch::is_ram(mfn); }

inline void* to_virtual(Mfn mfn) { return arch::to_virtual(to_paddr(mfn)); }

/// What put_frame() does where it dropped the last reference, or there was none (a defect of ours). `before` were counted.
void after_last_reference(Frame& frame, u32 before);

/// Drops a reference; the last one returns the frame to its owner's account and the allocator.
inline void put_frame(Frame& frame) {
    const u32 before = frame.references.fetch_sub(1, std::memory_order_acq_rel);
    if (before <= 1) [[unlikely]]
        after_last_reference(frame, before);
}
/// Takes one more reference if the frame is live and belongs to `owner`; any thread, no lock.
inline bool try_get_frame(Frame& frame, const Domain* owner) {
    u32 count = frame.references.load(std::memory_order_relaxed);
    do {
        if (count == 0 || count == ~u32{0} || frame.owner != owner) [[unlikely]]
            return false;
    } while (!frame.references.compare_exchange_weak(count, count + 1, std::memory_order_acquire));
    // The frame may have been freed and given to another owner between the look and the count.
    if (frame.owner == owner) [[likely]]
        return true;
    put_frame(frame);
    return false;
}
/// Takes one more reference where the caller already holds one.
void get_frame_reference(Frame& frame);

/// A counted reference to a frame, dropped at the end of its life.
class FrameRef {
public:
    FrameRef() = default;
    /// Adopts a reference that the caller took.
    explicit FrameRef(Frame& frame) : frame_(&frame) {}
    FrameRef(FrameRef&& other) : frame_(std::exchange(other.frame_, nullptr)) {}
    FrameRef& operator=(FrameRef&& other) {
        if (this != &other) {
            reset();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~FrameRef() { reset(); }

    explicit operator bool() const { return frame_ != nullptr; }
    Frame& operator*() const { return *frame_; }
    Frame* operator->() const { return frame_; }
    Mfn mfn() const { return mfn_of(*frame_); }
    void* data() const { return to_virtual(mfn()); }
    void reset() {
        if (frame_ != nullptr) put_frame(*std::exchange(frame_, nullptr));
    }
    /// Hands the reference to the caller.
    Frame& release() { return *std::exchange(frame_, nullptr); }

private:
    Frame* frame_ = nullptr;
};

}  // namespace px
