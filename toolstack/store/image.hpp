// The tree as bytes: nodes that several snapshots share are written once, and shared again when they are
// read.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_map>
#include <vector>

#include "toolstack/store/codec.hpp"
#include "toolstack/store/tree.hpp"

namespace px::store {

void save(Encoder& out, const Permissions& permissions);
/// Never empty unless `in` failed.
Permissions load_permissions(Decoder& in);

/// Gathers nodes, children before their parents, and numbers them.
class NodeWriter {
public:
    /// The number of `node`, which is added with all below it if it is new.
    u32 add(const Node& node);
    /// All nodes that were added.
    void save(Encoder& out) const;

private:
    std::unordered_map<const Node*, u32> numbers_;
    Encoder nodes_;
};

/// The nodes of a NodeWriter.
class NodeReader {
public:
    explicit NodeReader(Decoder& in);
    /// The node of a number in `in`; a failed `in` gives an empty one.
    std::shared_ptr<Node> root(Decoder& in) const;

private:
    struct Entry {
        std::shared_ptr<Node> node;
        usize size = 1, depth = 1;  // of everything below it
    };
    Entry read_node(Decoder& in) const;

    std::vector<Entry> entries_;
};

}  // namespace px::store
