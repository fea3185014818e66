// An intrusive red-black tree: ordered, O(log n) in the worst case, its lowest element in O(1), no allocation.
//
// An element type derives from TreeHook<Tag>, once per tree that it can be in at the same time. Less(a, b) orders
// elements; those that compare equal keep their order of insertion (first in, first out). What Less looks at must not
// change while the element is in a tree. The tree never owns its elements.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "hypervisor/console/log.hpp"

namespace px {

namespace detail {

/// The links of one element. child[0] is the lower side.
struct TreeLinks {
    TreeLinks* parent = nullptr;
    TreeLinks* child[2] = {nullptr, nullptr};
    bool red = false;
    bool linked = false;
};

/// Everything that doesn't depend on the element's type. Rules: a red node has black children; every path from the root
/// down to a missing child passes the same number of black nodes; the root is black.
class TreeShape {
public:
    TreeLinks* root = nullptr;

    void attach(TreeLinks& node, TreeLinks* parent, bool side) {
        node = {.parent = parent, .child = {nullptr, nullptr}, .red = true, .linked = true};
        (parent == nullptr ? root : parent->child[side]) = &node;
        repair_after_attach(&node);
    }

    void detach(TreeLinks& node) {
        TreeLinks* hole;  // what moved to the place where a node went missing; may be null
        TreeLinks* hole_parent;
        bool lost_black = !node.red;
        if (node.child[0] == nullptr || node.child[1] == nullptr) {
            hole = node.child[node.child[0] == nullptr];
            hole_parent = node.parent;
            replace(node, hole);
        } else {
            TreeLinks* successor = outermost(node.child[1], false);
            lost_black = !successor->red;
            hole = successor->child[1];
            hole_parent = successor->parent == &node ? successor : successor->parent;
            if (successor->parent != &node) {
                replace(*successor, hole);
                adopt(*successor, true, node.child[1]);
            }
            replace(node, successor);
            adopt(*successor, false, node.child[0]);
            successor->red = node.red;
        }
        if (lost_black) repair_after_detach(hole, hole_parent);
        node = {};
    }

    static TreeLinks* outermost(TreeLinks* node, bool side) {
        while (node->child[side] != nullptr) node = node->child[side];
        return node;
    }
    /// The neighbour in order, or null.
    static TreeLinks* neighbour(TreeLinks* node, bool side) {
        if (node->child[side] != nullptr) return outermost(node->child[side], !side);
        while (node->parent != nullptr && node->parent->child[side] == node) node = node->parent;
        return node->parent;
    }

    /// Number of black nodes on every path below `node`, or -1 where a rule is broken.
    static int black_height(const TreeLinks* node) {
        if (node == nullptr) return 0;
        for (const TreeLinks* child : node->child) {
            if (child != nullptr && (child->parent != node || (node->red && child->red))) return -1;
        }
        const int left = black_height(node->child[0]);
        return left < 0 || left != black_height(node->child[1]) ? -1 : left + !node->red;
    }
    static bool is_red(const TreeLinks* node) { return node != nullptr && node->red; }

private:
    static void adopt(TreeLinks& parent, bool side, TreeLinks* child) {
        parent.child[side] = child;
        if (child != nullptr) child->parent = &parent;
    }
    void replace(TreeLinks& old, TreeLinks* with) {
        if (old.parent == nullptr) root = with;
        else old.parent->child[old.parent->child[1] == &old] = with;
        if (with != nullptr) with->parent = old.parent;
    }
    /// The child on the other side rises; `node` sinks to `side`.
    void rotate(TreeLinks& node, bool side) {
        TreeLinks& riser = *node.child[!side];
        replace(node, &riser);
        adopt(node, !side, riser.child[side]);
        adopt(riser, side, &node);
    }

    void repair_after_attach(TreeLinks* node) {
        while (is_red(node->parent)) {
            TreeLinks* parent = node->parent;
            TreeLinks& grandparent = *parent->parent;  // exists: a red node is never the root
            const bool side = grandparent.child[1] == parent;
            TreeLinks* uncle = grandparent.child[!side];
            if (is_red(uncle)) {
                parent->red = uncle->red = false;
                grandparent.red = true;
                node = &grandparent;
                continue;
            }
            if (parent->child[!side] == node) {
                rotate(*parent, side);
                parent = node;
            }
            parent->red = false;
            grandparent.red = true;
            rotate(grandparent, !side);
            break;
        }
        root->red = false;
    }

    /// All paths through `hole` (below `parent`) are one black node short.
    void repair_after_detach(TreeLinks* hole, TreeLinks* parent) {
        while (hole != root && !is_red(hole)) {
            const bool side = parent->child[0] != hole;
            TreeLinks* sibling = parent->child[!side];  // exists: its paths have the black node that ours lack
            if (sibling->red) {
                sibling->red = false;
                parent->red = true;
                rotate(*parent, side);
                sibling = parent->child[!side];
            }
            if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
                sibling->red = true;
                hole = parent;
                parent = hole->parent;
                continue;
            }
            if (!is_red(sibling->child[!side])) {
                sibling->child[side]->red = false;
                sibling->red = true;
                rotate(*sibling, !side);
                sibling = parent->child[!side];
            }
            sibling->red = std::exchange(parent->red, false);
            sibling->child[!side]->red = false;
            rotate(*parent, side);
            return;
        }
        if (hole != nullptr) hole->red = false;
    }
};

}  // namespace detail

template <class Tag = void>
class TreeHook : private detail::TreeLinks {
public:
    constexpr TreeHook() = default;
    TreeHook(const TreeHook&) = delete;
    TreeHook& operator=(const TreeHook&) = delete;
    ~TreeHook() { PX_ASSERT(!linked); }

    bool in_tree() const { return linked; }

private:
    template <class T, class Less, class>
    friend class OrderedTree;
};

template <class T, class Less, class Tag = void>
class OrderedTree {
    using Hook = TreeHook<Tag>;
    using Links = detail::TreeLinks;

public:
    constexpr OrderedTree() = default;
    OrderedTree(const OrderedTree&) = delete;
    OrderedTree& operator=(const OrderedTree&) = delete;
    ~OrderedTree() { PX_ASSERT(empty()); }

    bool empty() const { return first_ == nullptr; }
    usize size() const { return size_; }

    void insert(T& element) {
        Links& node = links(element);
        PX_ASSERT(!node.linked);
        Links* parent = nullptr;
        bool side = false;
        bool lowest = true;
        for (Links* at = shape_.root; at != nullptr; at = at->child[side]) {
            parent = at;
            side = !Less{}(std::as_const(element), std::as_const(object(*at)));
            if (side) lowest = false;
        }
        shape_.attach(node, parent, side);
        if (lowest) first_ = &node;
        ++size_;
    }

    /// The element must be in this tree.
    void erase(T& element) {
        Links& node = links(element);
        PX_ASSERT(node.linked);
        if (first_ == &node) first_ = detail::TreeShape::neighbour(first_, true);
        shape_.detach(node);
        --size_;
    }

    /// The lowest element, or null.
    T* first() { return first_ == nullptr ? nullptr : &object(*first_); }
    const T* first() const { return first_ == nullptr ? nullptr : &object(*first_); }
    /// The highest element, or null. O(log n).
    T* last() { return shape_.root == nullptr ? nullptr : &object(*detail::TreeShape::outermost(shape_.root, true)); }
    /// The next higher element, or null.
    T* next(T& element) {
        Links* node = detail::TreeShape::neighbour(&links(element), true);
        return node == nullptr ? nullptr : &object(*node);
    }

    /// Whether the balance rules hold. O(n): for tests and crash dumps.
    bool well_formed() const { return !shape_.is_red(shape_.root) && shape_.black_height(shape_.root) >= 0; }

private:
    static Links& links(T& element) { return static_cast<Hook&>(element); }
    static T& object(Links& node) { return static_cast<T&>(static_cast<Hook&>(node)); }

    detail::TreeShape shape_;
    Links* first_ = nullptr;
    usize size_ = 0;
};

}  // namespace px
