// IntrusiveList against std::list.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace px {
namespace {

struct Item : ListHook<struct RedTag>, ListHook<struct BlueTag> {
    int value = 0;
};
using RedList = IntrusiveList<Item, RedTag>;
using BlueList = IntrusiveList<Item, BlueTag>;

template <class List>
std::vector<int> values(List& list) {
    std::vector<int> result;
    for (Item& item : list) result.push_back(item.value);
    return result;
}

struct Lists : testing::Test {
    Item items[8];
    RedList red;
    BlueList blue;

    Lists() {
        for (int i = 0; i < 8; ++i) items[i].value = i;
    }
    ~Lists() override {
        while (red.pop_front() != nullptr) {}
        while (blue.pop_front() != nullptr) {}
    }
};

TEST_F(Lists, AnItemIsOnTwoListsAtOnce) {
    for (Item& item : items) red.push_back(item), blue.push_front(item);
    red.erase(items[3]);
    EXPECT_EQ(values(red), (std::vector{0, 1, 2, 4, 5, 6, 7}));
    EXPECT_EQ(values(blue), (std::vector{7, 6, 5, 4, 3, 2, 1, 0}));
    EXPECT_EQ(red.back()->value, 7);
}

TEST_F(Lists, SpliceMovesAll) {
    RedList other;
    red.splice_back(other);
    EXPECT_TRUE(red.empty());
    other.push_back(items[1]);
    other.push_back(items[2]);
    red.splice_back(other);
    EXPECT_TRUE(other.empty());
    red.push_front(items[0]);
    other.push_back(items[3]);
    red.splice_back(other);
    red.insert_before(items[2], items[7]);
    EXPECT_EQ(values(red), (std::vector{0, 1, 7, 2, 3}));
}

TEST_F(Lists, MisuseIsCaught) {
    red.push_back(items[0]);
    EXPECT_DEATH(red.push_back(items[0]), "assertion");
    EXPECT_DEATH(red.erase(items[1]), "assertion");
    EXPECT_DEATH(
        {
            Item local;
            red.push_back(local);
        },
        "assertion");
    EXPECT_DEATH(
        {
            RedList local;
            local.push_back(items[1]);
        },
        "assertion");
}

TEST_F(Lists, RandomOperationsAgreeWithAModel) {
    std::mt19937 random(1);
    std::deque<int> model;
    for (int step = 0; step < 5000; ++step) {
        Item& item = items[random() % 8];
        const auto place = std::find(model.begin(), model.end(), item.value);
        if (place != model.end()) {
            if (random() % 3 == 0) {
                ASSERT_EQ(red.pop_front()->value, model.front());
                model.pop_front();
            } else {
                red.erase(item);
                model.erase(place);
            }
        } else if (random() % 2) {
            red.push_back(item);
            model.push_back(item.value);
        } else {
            red.push_front(item);
            model.push_front(item.value);
        }
        ASSERT_EQ(values(red), std::vector<int>(model.begin(), model.end()));
        ASSERT_EQ(red.size(), model.size());
    }
}

}  // namespace
}  // namespace px
