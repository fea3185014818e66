// The heap of objects.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <random>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class HeapTest : public World {};

TEST_F(HeapTest, MemoryIsZeroedAlignedAndOnesOwn) {
    std::mt19937 random(1);
    std::vector<std::pair<u8*, usize>> live;
    for (unsigned i = 0; i < 5000; ++i) {
        if (random() % 2 == 0 || live.empty()) {
            const usize size = 1 + random() % (random() % 10 == 0 ? 20'000 : 600);
            auto* const memory = static_cast<u8*>(heap_allocate(size));
            ASSERT_NE(memory, nullptr);
            ASSERT_EQ(reinterpret_cast<u64>(memory) % (size > 2048 ? page_size : 16), 0u);
            for (usize at = 0; at < size; ++at) ASSERT_EQ(memory[at], 0);
            std::memset(memory, static_cast<int>(live.size() % 255 + 1), size);
            live.emplace_back(memory, size);
        } else {
            std::swap(live[random() % live.size()], live.back());
            const auto [memory, size] = live.back();
            for (usize at = 1; at < size; ++at) ASSERT_EQ(memory[at], memory[0]) << "somebody wrote into it";
            heap_free(memory, size);
            live.pop_back();
        }
    }
    for (const auto& [memory, size] : live) heap_free(memory, size);
}

struct Counted {
    explicit Counted(int& deaths) : deaths(deaths) {}
    ~Counted() { ++deaths; }
    int& deaths;
};

TEST_F(HeapTest, ObjectsAreCountedByType) {
    int deaths = 0;
    {
        const auto object = make<Counted>(deaths);
        ASSERT_TRUE(object.ok());
        bool found = false;
        for (const auto& [name, live] : heap_objects()) found |= name.find("Counted") != std::string::npos && live == 1;
        EXPECT_TRUE(found);
    }
    EXPECT_EQ(deaths, 1);
}

TEST_F(HeapTest, ExhaustionIsAnError) {
    std::vector<Mfn> taken;
    while (const auto frame = allocate_frames(0)) taken.push_back(*frame);
    std::vector<void*> cells;
    while (void* cell = heap_allocate(1000)) cells.push_back(cell);
    int deaths = 0;
    struct Large {
        char bytes[3000];
    };
    EXPECT_EQ(make<Large>().error(), Errno::enomem);
    EXPECT_EQ(HeapArray<u64>::create(10'000).error(), Errno::enomem);
    EXPECT_EQ(HeapArray<u64>::create(~usize{0} / 4).error(), Errno::enomem);
    EXPECT_EQ(deaths, 0);
    for (void* cell : cells) heap_free(cell, 1000);
    for (Mfn frame : taken) free_frames(frame, 0);
}

}  // namespace
}  // namespace px
