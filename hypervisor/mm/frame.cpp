// References to frames.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/frame.hpp"

#include "hypervisor/console/log.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {

void get_frame_reference(Frame& frame) {
    const u32 before = frame.references.fetch_add(1, std::memory_order_relaxed);
    PX_ASSERT(before != 0 && before != ~u32{0});
}

void after_last_reference(Frame& frame, u32 before) {
    PX_ASSERT(before == 1);
    if (frame.owner != nullptr) frame.owner->memory.last_reference_dropped(frame);
    else return_block(mfn_of(frame), 0, ~u32{0});
}

}  // namespace px
