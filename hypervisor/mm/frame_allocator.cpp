// The buddy allocator of frames.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/frame_allocator.hpp"

#include <array>
#include <cstring>

#include "arch/stale_frames.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/console/log.hpp"

namespace px {
namespace {

constexpr u32 hypervisor_serial = ~u32{0};  ///< frames that held data of no domain are zeroed for everybody

struct Node {
    std::array<u32, max_order + 1> heads{};  ///< first free block by order; 0: none
    u64 total = 0, free = 0;
};

/// The free lists. A block's first frame carries Flag::free_head and the block's order; frame 0 is never free.
class FreeLists {
public:
    void push(Mfn first, unsigned order, u8 node) {
        Frame& head = frame_of(first);
        head.order = static_cast<u8>(order);
        head.node = node;
        head.flags.store(Frame::free_head, std::memory_order_relaxed);
        head.prev = 0;
        head.next = nodes_[node].heads[order];
        if (head.next != 0) frame_of(Mfn{head.next}).prev = static_cast<u32>(first.raw);
        nodes_[node].heads[order] = static_cast<u32>(first.raw);
        nodes_[node].free += u64{1} << order;
    }

    void remove(Mfn first) {
        Frame& head = frame_of(first);
        Node& node = nodes_[head.node];
        if (head.prev != 0) frame_of(Mfn{head.prev}).next = head.next;
        else node.heads[head.order] = head.next;
        if (head.next != 0) frame_of(Mfn{head.next}).prev = head.prev;
        head.flags.store(0, std::memory_order_relaxed);
        node.free -= u64{1} << head.order;
    }

    /// Frees a block and joins it with its free buddies.
    void insert(Mfn first, unsigned order, u8 node) {
        while (order < max_order) {
            const Mfn buddy{first.raw ^ (u64{1} << order)};
            if (!is_free_block(buddy, order, node)) break;
            remove(buddy);
            first = Mfn{first.raw & ~(u64{1} << order)};
            ++order;
        }
        push(first, order, node);
    }

    Result<Mfn> take(unsigned order, u8 node, u64 below) {
        for (unsigned have = order; have <= max_order; ++have) {
            const Mfn block = first_below(node, have, order, below);
            if (block == invalid_mfn) continue;
            remove(block);
            while (have > order) {
                --have;
                push(block + (u64{1} << have), have, node);
            }
            return block;
        }
        return Err{Errno::enomem};
    }

    Result<> take_exact(Mfn frame) {
        for (unsigned order = 0; order <= max_order; ++order) {
            Mfn block{align_down<u64>(frame.raw, u64{1} << order)};
            if (!has_frame(block) || !is_free_block(block, order, frame_of(block).node)) continue;
            const u8 node = frame_of(block).node;
            remove(block);
            while (order-- > 0) {
                const Mfn upper = block + (u64{1} << order);
                push(frame < upper ? upper : block, order, node);
                if (frame >= upper) block = upper;
            }
            return {};
        }
        return Err{Errno::enomem};
    }

    /// Where a free block holds `frame`, all of it but the frames before `frame` and from `end` on changes its node.
    /// The frame behind what changed, or behind `frame` where it isn't free.
    Mfn move(Mfn frame, Mfn end, u8 to) {
        for (unsigned order = 0; order <= max_order; ++order) {
            const Mfn block{align_down<u64>(frame.raw, u64{1} << order)};
            if (!has_frame(block) || !is_free_block(block, order, frame_of(block).node)) continue;
            const u8 from = frame_of(block).node;
            const Mfn block_end = block + (u64{1} << order), last = std::min(end, block_end);
            if (from == to) return last;
            remove(block);
            insert_range(block, frame, from);
            insert_range(frame, last, to);
            insert_range(last, block_end, from);
            nodes_[from].total -= last.raw - frame.raw;
            nodes_[to].total += last.raw - frame.raw;
            return last;
        }
        return frame + 1;
    }

    void insert_range(Mfn first, Mfn end, u8 node) {
        while (first < end) {
            unsigned order = max_order;
            while ((first.raw & ((u64{1} << order) - 1)) != 0 || first.raw + (u64{1} << order) > end.raw) --order;
            insert(first, order, node);
            first = first + (u64{1} << order);
        }
    }

    /// The next of these nodes, by turns.
    u8 next_of(const NodeMask& nodes) {
        last_ = static_cast<u8>(nodes.find_next(last_ + 1u).value_or(nodes.find_first().value_or(0)));
        return last_;
    }

    Node& node(u8 index) { return nodes_[index]; }

private:
    static constexpr unsigned search_limit = 64;  ///< blocks looked at per list where an address limit is given

    bool is_free_block(Mfn first, unsigned order, u8 node) const {
        if (first.raw == 0 || !has_frame(first)) return false;
        const Frame& head = frame_of(first);
        return (head.flags.load(std::memory_order_relaxed) & Frame::free_head) != 0 && head.order == order && head.node == node;
    }

    Mfn first_below(u8 node, unsigned list, unsigned order, u64 below) const {
        u32 at = nodes_[node].heads[list];
        for (unsigned tries = 0; at != 0 && tries < search_limit; ++tries, at = frame_of(Mfn{at}).next) {
            if (u64{at} + (u64{1} << order) <= below) return Mfn{at};
        }
        return invalid_mfn;
    }

    std::array<Node, max_nodes> nodes_{};
    u8 last_ = 0;  ///< next_of()
};

constinit Locked<FreeLists, LockRank::frame_allocator> free_lists;

/// Nobody else's data, and no CPU's old translation, is left.
void scrub(Mfn first, unsigned order, u32 keep_serial) {
    for (u64 i = 0; i < (u64{1} << order); ++i) {
        Frame& frame = frame_of(first + i);
        const u32 stamp = frame.use.exchange(0, std::memory_order_relaxed);
        if (stamp != 0) arch::flush_stale(stamp);
        const u32 last_owner = frame.state.exchange(0, std::memory_order_relaxed);
        if (last_owner != 0 && last_owner != keep_serial) std::memset(to_virtual(first + i), 0, page_size);
    }
}

}  // namespace

void add_free_range(Mfn first, u64 count) {
    // What a boot loader or another system left there is nobody's to read: zeroed when it is handed out.
    for (u64 i = 0; i < count; ++i) frame_of(first + i).state.store(hypervisor_serial, std::memory_order_relaxed);
    auto lists = free_lists.lock();
    lists->node(0).total += count;
    lists->insert_range(first, first + count, 0);
}

u64 set_node(Mfn first, u64 count, u8 node) {
    PX_ASSERT(node < max_nodes);
    auto lists = free_lists.lock();
    const Mfn end = first + count;
    for (Mfn at = first; at < end;) at = lists->move(at, end, node);
    u64 frames = 0;
    for (Mfn at = first; at < end; at = at + 1) {
        if (!has_frame(at)) continue;
        frame_of(at).node = node;
        ++frames;
    }
    return frames;
}

Result<Mfn> take_block(unsigned order, u32 serial, const AllocationHint& hint) {
    REQUIRE(order <= max_order, enomem);
    Result<Mfn> block = Err{Errno::enomem};
    {
        auto lists = free_lists.lock();
        const auto try_nodes = [&](const NodeMask& nodes) {
            if (block || nodes.empty()) return;
            const u8 start = lists->next_of(nodes);
            u8 node = start;
            do {
                block = lists->take(order, node, hint.below);
                node = static_cast<u8>(nodes.find_next(node + 1u).value_or(*nodes.find_first()));
            } while (!block && node != start);
        };
        if (nodes().count() == 1 && !hint.exact_nodes) block = lists->take(order, 0, hint.below);
        try_nodes(hint.nodes);
        if (hint.nodes.empty() || !hint.exact_nodes) try_nodes(nodes().all());
    }
    const Mfn first = TRY(block);
    scrub(first, order, serial);
    return first;
}

Result<> take_frame(Mfn frame, u32 serial) {
    REQUIRE(has_frame(frame), enomem);
    TRY(free_lists.lock()->take_exact(frame));
    scrub(frame, 0, serial);
    return {};
}

void return_block(Mfn first, unsigned order, u32 serial) {
    for (u64 i = 0; i < (u64{1} << order); ++i) {
        Frame& frame = frame_of(first + i);
        PX_ASSERT(frame.references.load(std::memory_order_relaxed) == 0);
        frame.use.store(frame.owner != nullptr ? arch::freed_stamp(*frame.owner) : 0, std::memory_order_relaxed);
        frame.owner = nullptr;
        frame.state.store(serial, std::memory_order_relaxed);
        frame.flags.store(0, std::memory_order_relaxed);
    }
    auto lists = free_lists.lock();
    lists->insert(first, order, frame_of(first).node);
}

Result<Mfn> allocate_frames(unsigned order, const AllocationHint& hint) {
    const Mfn first = TRY(take_block(order, 0, hint));
    for (u64 i = 0; i < (u64{1} << order); ++i) { frame_of(first + i).references.store(1, std::memory_order_relaxed); }
    return first;
}

void free_frames(Mfn first, unsigned order) {
    for (u64 i = 0; i < (u64{1} << order); ++i) {
        const u32 before = frame_of(first + i).references.exchange(0, std::memory_order_acq_rel);
        PX_ASSERT(before == 1);
    }
    return_block(first, order, hypervisor_serial);
}

MemoryTotals memory_totals(u8 node) {
    auto lists = free_lists.lock();
    return {lists->node(node).total, lists->node(node).free};
}

MemoryTotals memory_totals() {
    MemoryTotals sum{0, 0};
    auto lists = free_lists.lock();
    for (u8 node = 0; node < nodes().count(); ++node) {
        sum.total_frames += lists->node(node).total;
        sum.free_frames += lists->node(node).free;
    }
    return sum;
}

}  // namespace px
