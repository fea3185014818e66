// References to frames.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/frame.hpp"

#include "hypervisor/console/log.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {

bool try_get_frame(Frame& frame, const Domain* owner) {
    u32 count = frame.references.load(std::memory_order_relaxed);
    do {
        if (count == 0 || count == ~u32{0} || frame.owner != owner) return false;
    } while (!frame.references.compare_exchange_weak(count, count + 1, std::memory_order_acquire));
    // The frame may have been freed and given to another owner between the look and the count.
    if (frame.owner == owner) return true;
    put_frame(frame);
    return false;
}

void get_frame_reference(Frame& frame) {
    const u32 before = frame.references.fetch_add(1, std::memory_order_relaxed);
    PX_ASSERT(before != 0 && before != ~u32{0});
}

void put_frame(Frame& frame) {
    const u32 before = frame.references.fetch_sub(1, std::memory_order_acq_rel);
    PX_ASSERT(before != 0);
    if (before != 1) return;
    if (frame.owner != nullptr) frame.owner->memory.last_reference_dropped(frame);
    else return_block(mfn_of(frame), 0, ~u32{0});
}

}  // namespace px
