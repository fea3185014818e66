// The tree of nodes, copied on write.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/tree.hpp"

#include "toolstack/store/path.hpp"

namespace px::store {

Tree::Tree() : root_(std::make_shared<Node>()) { root_->permissions = {{DomId{0}, Access::none}}; }

const Node* Tree::find(std::string_view path) const {
    const Node* node = root_.get();
    std::string_view name;
    for (PathNames names(path); names.next(name);) {
        auto child = node->children.find(name);
        if (child == node->children.end()) return nullptr;
        node = child->second.get();
    }
    return node;
}

Tree::Nearest Tree::nearest(std::string_view path) const {
    Nearest found{root_.get(), "/"};
    std::string_view name;
    for (PathNames names(path); names.next(name);) {
        auto child = found.node->children.find(name);
        if (child == found.node->children.end()) break;
        found = {child->second.get(), names.so_far()};
    }
    return found;
}

/// Makes `node` this tree's alone. Its children stay shared: whoever goes on below owns them in turn.
Node& Tree::own(std::shared_ptr<Node>& node) {
    if (node.use_count() > 1) node = std::make_shared<Node>(*node);
    return *node;
}

Node& Tree::edit(std::string_view path) {
    Node* node = &own(root_);
    std::string_view name;
    for (PathNames names(path); names.next(name);) node = &own(node->children.find(name)->second);
    node->generation = next_generation_++;
    return *node;
}

Node& Tree::create(std::string_view path, const Permissions& permissions, unsigned& made) {
    made = 0;
    Node* node = &own(root_);
    std::string_view name;
    for (PathNames names(path); names.next(name);) {
        auto place = node->children.lower_bound(name);
        if (place == node->children.end() || place->first != name) {
            auto child = std::make_shared<Node>();
            child->permissions = permissions;
            child->generation = next_generation_++;
            node->generation = next_generation_++;
            place = node->children.emplace_hint(place, name, std::move(child));
            ++made;
        }
        node = &own(place->second);
    }
    return *node;
}

void Tree::erase(std::string_view path) {
    Node& parent = edit(parent_of(path));
    parent.children.erase(parent.children.find(path.substr(path.rfind('/') + 1)));
}

}  // namespace px::store
