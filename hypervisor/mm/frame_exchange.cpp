// Exchanging frames of a domain for others.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/frame_exchange.hpp"

#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/domain_memory.hpp"

namespace px {

void FrameExchange::Chain::push(Frame& frame) {
    frame.next = std::exchange(head, static_cast<u32>(mfn_of(frame).raw));
    ++count;
}

Frame& FrameExchange::Chain::pop() {
    Frame& frame = frame_of(Mfn{head});
    head = std::exchange(frame.next, 0);
    --count;
    return frame;
}

Result<> FrameExchange::take(Mfn first, unsigned order) {
    for (u64 i = 0; i < u64{1} << order; ++i) {
        REQUIRE(has_frame(first + i), einval);
        TRY(memory_.lend(frame_of(first + i)));
        taken_.push(frame_of(first + i));
    }
    return {};
}

Result<Mfn> FrameExchange::allocate(unsigned order, const AllocationHint& hint) {
    PX_ASSERT(fresh_.count + (u64{1} << order) <= taken_.count);
    const Mfn first = TRY(memory_.find_block(order, hint));
    for (u64 i = 0; i < u64{1} << order; ++i) fresh_.push(frame_of(first + i));
    return first;
}

void FrameExchange::commit() {
    PX_ASSERT(fresh_.count == taken_.count);
    std::swap(taken_, fresh_);
}

FrameExchange::~FrameExchange() {
    // Which of the two are kept, commit() has decided.
    while (fresh_.count != 0) memory_.forget(fresh_.pop());
    while (taken_.count != 0) memory_.restore(taken_.pop());
}

}  // namespace px
