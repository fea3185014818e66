// OrderedTree: order and balance against std::multimap.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/ordered_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace px {
namespace {

struct Node : TreeHook<> {
    int key = 0;
    int serial = 0;
};
struct ByKey {
    bool operator()(const Node& a, const Node& b) const { return a.key < b.key; }
};
using Tree = OrderedTree<Node, ByKey>;

std::vector<std::pair<int, int>> contents(Tree& tree) {
    std::vector<std::pair<int, int>> result;
    for (Node* node = tree.first(); node != nullptr; node = tree.next(*node)) result.emplace_back(node->key, node->serial);
    return result;
}

void random_operations(unsigned seed, int nodes, int keys) {
    std::mt19937 random(seed);
    std::vector<Node> pool(static_cast<usize>(nodes));
    Tree tree;
    std::multimap<int, int> model;  // equal keys in order of insertion, as the standard says
    int serial = 0;
    for (int step = 0; step < 4000; ++step) {
        Node& node = pool[random() % pool.size()];
        if (node.in_tree()) {
            tree.erase(node);
            for (auto [at, end] = model.equal_range(node.key); at != end; ++at) {
                if (at->second != node.serial) continue;
                model.erase(at);
                break;
            }
        } else {
            node.key = static_cast<int>(random() % static_cast<unsigned>(keys));
            node.serial = ++serial;
            tree.insert(node);
            model.emplace(node.key, node.serial);
        }
        ASSERT_TRUE(tree.well_formed());
        ASSERT_EQ(tree.size(), model.size());
        ASSERT_EQ(tree.first() == nullptr ? 0 : tree.first()->serial, model.empty() ? 0 : model.begin()->second);
        ASSERT_EQ(tree.last() == nullptr ? 0 : tree.last()->serial, model.empty() ? 0 : model.rbegin()->second);
        if (step % 16 == 0) { ASSERT_EQ(contents(tree), (std::vector<std::pair<int, int>>(model.begin(), model.end()))); }
    }
    while (Node* node = tree.first()) {
        tree.erase(*node);
        ASSERT_TRUE(tree.well_formed());
    }
    EXPECT_TRUE(tree.empty());
}

TEST(OrderedTree, FewNodes) { random_operations(1, 5, 3); }
TEST(OrderedTree, ManyEqualKeys) { random_operations(2, 100, 4); }
TEST(OrderedTree, ManyNodes) { random_operations(3, 600, 100000); }

TEST(OrderedTree, RisingAndFallingKeys) {
    for (const int direction : {1, -1}) {
        std::vector<Node> pool(1000);
        Tree tree;
        for (int i = 0; i < 1000; ++i) {
            pool[static_cast<usize>(i)].key = direction * i;
            tree.insert(pool[static_cast<usize>(i)]);
        }
        EXPECT_TRUE(tree.well_formed());
        int previous = -1001;
        while (Node* node = tree.first()) {
            EXPECT_GT(node->key, previous);
            previous = node->key;
            tree.erase(*node);
        }
    }
}

TEST(OrderedTree, MisuseIsCaught) {
    Node node;
    Tree tree;
    EXPECT_DEATH(tree.erase(node), "assertion");
    tree.insert(node);
    EXPECT_DEATH(tree.insert(node), "assertion");
    tree.erase(node);
}

}  // namespace
}  // namespace px
