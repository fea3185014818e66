// The buddy allocator of frames, one set of free lists per NUMA node.
//
// A frame's old contents never reach another domain: what was last owned by another domain is zeroed when it is handed
// out (Frame::state), so a domain that gives back and takes its own memory pays nothing.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/frame.hpp"
#include "hypervisor/mm/nodes.hpp"

namespace px {

inline constexpr unsigned max_order = 18;  ///< 1 GiB

/// Gives free RAM to the allocator: boot, and a domain's reserved memory at its end. Takes the allocator's lock.
/// Each frame belongs to node 0 until set_node() says otherwise.
void add_free_range(Mfn first, u64 count);
/// Boot only: these frames, RAM or not, free or not, are `node`'s. The number of frames of RAM among them.
u64 set_node(Mfn first, u64 count, u8 node);

struct AllocationHint {
    NodeMask nodes{};          ///< preferred NUMA nodes, taken by turns; none: any
    bool exact_nodes = false;  ///< fail instead of taking another node's memory
    u64 below = ~u64{0};       ///< the block's frame numbers must be smaller than this
};

/// A block of 2^order naturally aligned frames for the hypervisor itself, zeroed, references = 1 each.
/// Errors: enomem.
Result<Mfn> allocate_frames(unsigned order, const AllocationHint& hint = {});
/// Frees what allocate_frames gave.
void free_frames(Mfn first, unsigned order);

/// For the domain memory code only: a block without references, zeroed unless it last belonged to `serial`.
Result<Mfn> take_block(unsigned order, u32 serial, const AllocationHint& hint);
/// The same of one frame that must be this one. Errors: enomem (it isn't free).
Result<> take_frame(Mfn frame, u32 serial);
/// Returns frames that have no reference left; `serial` says whose data they hold (0: nobody's).
void return_block(Mfn first, unsigned order, u32 serial);

struct MemoryTotals {
    u64 total_frames;  ///< given to the allocator since boot
    u64 free_frames;
};
MemoryTotals memory_totals();
MemoryTotals memory_totals(u8 node);

}  // namespace px
