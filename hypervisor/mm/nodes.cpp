// The machine's NUMA nodes.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/nodes.hpp"

namespace px {
namespace {
constinit Nodes machine_nodes;
}  // namespace

Nodes& nodes() { return machine_nodes; }

Result<u8> Nodes::number(u32 proximity) {
    for (usize i = 0; i < proximities_.size(); ++i) {
        if (proximities_[i] == proximity) return static_cast<u8>(i);
    }
    TRY(proximities_.push_back(proximity));
    return static_cast<u8>(proximities_.size() - 1);
}

Result<> Nodes::add_memory(Mfn first, u64 count, u32 proximity) {
    const u8 node = TRY(number(proximity));
    for (const Range& range : ranges_) {
        const bool apart = first.raw + count <= range.first.raw || range.first.raw + range.count <= first.raw;
        REQUIRE(apart || range.node == node, eexist);
    }
    return ranges_.push_back({first, count, node});
}

NodeMask Nodes::all() const {
    NodeMask mask;
    for (u32 node = 0; node < count(); ++node) mask.set(node);
    return mask;
}

u8 Nodes::distance(u8 from, u8 to) const {
    const u8 said = distances_[from * max_nodes + to];
    return said != 0 ? said : from == to ? local_distance : remote_distance;
}

}  // namespace px
