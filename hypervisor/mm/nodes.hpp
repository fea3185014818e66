// The machine's NUMA nodes: which RAM each one has, and how far they are from each other.
//
// The architecture's boot code describes them once, before guests; afterwards they are only read. Firmware numbers its proximity
// domains as it likes; ours are dense, in the order in which it names them. Without a description there is one node, to which the architecture adds all RAM.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/bitmap.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px {

inline constexpr unsigned max_nodes = 64;
using NodeMask = Bitmap<max_nodes>;

class Nodes {
public:
    static constexpr u8 local_distance = 10, remote_distance = 20;  ///< [acpi/6.4 5.2.17]; remote: where nobody says
    static constexpr u8 unreachable = 0xff;                         ///< [acpi/6.4 5.2.17]

    struct Range {
        Mfn first;
        u64 count;
        u8 node;
    };

    /// The number of a proximity domain, a new one for a new domain. Errors: enospc (more than max_nodes).
    Result<u8> number(u32 proximity);
    /// RAM, or room for it, of a domain. Errors: enospc (too many nodes or ranges), eexist (overlaps with a range of another node).
    Result<> add_memory(Mfn first, u64 count, u32 proximity);
    void add_frames(u8 node, u64 count) { frames_[node] += count; }
    void set_distance(u8 from, u8 to, u8 distance) { distances_[from * max_nodes + to] = distance; }

    u32 count() const { return proximities_.empty() ? 1 : static_cast<u32>(proximities_.size()); }
    NodeMask all() const;
    u32 proximity(u8 node) const { return proximities_[node]; }
    u64 frames(u8 node) const { return frames_[node]; }  ///< of RAM
    /// Both below count().
    u8 distance(u8 from, u8 to) const;
    const StaticVector<Range, 256>& ranges() const { return ranges_; }

private:
    StaticVector<u32, max_nodes> proximities_;
    StaticVector<Range, 256> ranges_;
    std::array<u64, max_nodes> frames_{};
    std::array<u8, max_nodes * max_nodes> distances_{};  ///< 0: nobody said
};

Nodes& nodes();

}  // namespace px
