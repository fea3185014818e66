// The tree of nodes, copied on write: a copy of a Tree is a snapshot and costs O(1).
//
// Nodes that are reachable from one tree only are changed in place; nodes shared with a snapshot are cloned along the
// changed path. So a write costs O(depth), and a transaction's view costs what it changes. Not for several threads.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "toolstack/store/permissions.hpp"

namespace px::store {

struct Node {
    std::string value;
    Permissions permissions;
    std::map<std::string, std::shared_ptr<Node>, std::less<>> children;
    u64 generation = 0;  ///< changes whenever value, permissions or the set of children do; never reused

    DomId owner() const { return permissions.front().domain; }
};

/// All paths given to a Tree are valid (is_valid_path).
class Tree {
public:
    /// Just "/", owned by dom0, closed to everybody else.
    Tree();
    /// A tree that was saved: its root and the generation that the next change gets.
    Tree(std::shared_ptr<Node> root, u64 next_generation) : root_(std::move(root)), next_generation_(next_generation) {}

    /// The node at `path`, or null.
    const Node* find(std::string_view path) const;

    struct Nearest {
        const Node* node;
        std::string_view path;  ///< a prefix of the path asked for
    };
    /// The node at `path`, or else its closest ancestor that exists.
    Nearest nearest(std::string_view path) const;

    /// The existing node at `path`, to be changed: it gets the next generation.
    Node& edit(std::string_view path);
    /// Makes `path` and its missing ancestors, each with `permissions` and an empty value; returns the node at `path`.
    /// Returns how many nodes were made in `made`.
    Node& create(std::string_view path, const Permissions& permissions, unsigned& made);
    /// Takes the existing `path` (not "/") and all below it away.
    void erase(std::string_view path);

    const Node& root() const { return *root_; }
    u64 next_generation() const { return next_generation_; }

private:
    Node& own(std::shared_ptr<Node>& node);

    std::shared_ptr<Node> root_;
    u64 next_generation_ = 1;
};

/// Calls `visit(path, node)` for `node` at `path` and everything below it, parents first.
template <class Visit>
void for_each_node(const std::string& path, const Node& node, Visit&& visit) {
    visit(path, node);
    for (const auto& [name, child] : node.children) { for_each_node(path == "/" ? path + name : path + "/" + name, *child, visit); }
}

}  // namespace px::store
