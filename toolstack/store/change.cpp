// One change to the tree, as a value.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/change.hpp"

#include "toolstack/store/path.hpp"

namespace px::store {

namespace {

Node& make(Tree& tree, const Change& change, Effects& effects) {
    Permissions inherited = tree.nearest(change.path).node->permissions;
    if (change.author != DomId{0}) inherited.front().domain = change.author;
    unsigned made = 0;
    Node& node = tree.create(change.path, inherited, made);
    effects.entries[inherited.front().domain] += static_cast<int>(made);
    return node;
}

void write(Tree& tree, const Change& change, Effects& effects) {
    Node& node = tree.find(change.path) ? tree.edit(change.path) : make(tree, change, effects);
    node.value = change.value;
    effects.events.push_back({change.path, false, {}});
}

void make_if_missing(Tree& tree, const Change& change, Effects& effects) {
    if (tree.find(change.path)) return;
    make(tree, change, effects);
    effects.events.push_back({change.path, false, {}});
}

void remove(Tree& tree, const Change& change, Effects& effects) {
    for_each_node(change.path, *tree.find(change.path), [&](const std::string& path, const Node& node) {
        --effects.entries[node.owner()];
        effects.events.push_back({path, path != change.path, node.permissions});
    });
    tree.erase(change.path);
}

void set_permissions(Tree& tree, const Change& change, Effects& effects) {
    Node& node = tree.edit(change.path);
    --effects.entries[node.owner()];
    effects.events.push_back({change.path, false, node.permissions});
    node.permissions = change.permissions;
    ++effects.entries[node.owner()];
}

}  // namespace

unsigned missing_nodes(const Tree& tree, std::string_view path) {
    auto [node, found] = tree.nearest(path);
    return static_cast<unsigned>(levels_below(path, found));
}

void apply(Tree& tree, const Change& change, Effects& effects) {
    switch (change.kind) {
    case Change::Kind::write: return write(tree, change, effects);
    case Change::Kind::make: return make_if_missing(tree, change, effects);
    case Change::Kind::remove: return remove(tree, change, effects);
    case Change::Kind::set_permissions: return set_permissions(tree, change, effects);
    }
}

}  // namespace px::store
