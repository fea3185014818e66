// A domain's frames: account, references, claims.
//
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class DomainMemoryTest : public World {};

TEST_F(DomainMemoryTest, TheAccountFollowsTheFrames) {
    Domain& a = make_domain(1);
    EXPECT_EQ(a.memory.frames(), 64u);
    const auto block = a.memory.allocate(3);
    ASSERT_TRUE(block.ok());
    EXPECT_EQ(a.memory.frames(), 72u);
    for (u64 i = 0; i < 8; ++i) {
        EXPECT_TRUE(a.memory.release(frame_of(*block + i)));
        EXPECT_EQ(a.memory.frames(), 71 - i);
    }
    a.memory.set_max_frames(64);
    EXPECT_EQ(a.memory.allocate(0).error(), Errno::enomem);
}

TEST_F(DomainMemoryTest, AFrameIsGivenUpOnce) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    Frame& frame = frame_of(*a.memory.allocate(0));
    EXPECT_FALSE(b.memory.release(frame));
    ASSERT_TRUE(try_get_frame(frame, &a));
    EXPECT_FALSE(try_get_frame(frame, &b));
    EXPECT_TRUE(a.memory.release(frame));
    EXPECT_FALSE(a.memory.release(frame)) << "the second time would take our reference";
    EXPECT_EQ(frame.references, 1u);
    EXPECT_EQ(a.memory.frames(), 65u) << "counted until the last reference goes";
    put_frame(frame);
    EXPECT_EQ(a.memory.frames(), 64u);
    EXPECT_FALSE(try_get_frame(frame, &a));
}

TEST_F(DomainMemoryTest, SharedFramesAreOutsideOfTheAccount) {
    Domain& a = make_domain(1);
    const auto shared = a.memory.allocate_shared();
    ASSERT_TRUE(shared.ok());
    EXPECT_EQ(a.memory.frames(), 64u);
    EXPECT_FALSE(a.memory.release(frame_of(*shared))) << "a guest can't balloon it out";
    EXPECT_TRUE(try_get_frame(frame_of(*shared), &a));
    put_frame(frame_of(*shared));
    put_frame(frame_of(*shared));
}

TEST_F(DomainMemoryTest, ClaimsKeepMemoryForTheirOwner) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    a.memory.set_max_frames(~u64{0});
    b.memory.set_max_frames(~u64{0});
    const u64 free = memory_totals().free_frames;
    ASSERT_TRUE(a.memory.set_claim(64 + free - 10).ok());
    EXPECT_EQ(a.memory.claim(), free - 10);
    EXPECT_EQ(b.memory.set_claim(64 + 11).error(), Errno::enomem);
    EXPECT_EQ(b.memory.allocate(4).error(), Errno::enomem) << "16 of the 10 that are left";
    EXPECT_TRUE(a.memory.allocate(4).ok());
    EXPECT_EQ(a.memory.claim(), free - 26);
    ASSERT_TRUE(a.memory.set_claim(0).ok());
    EXPECT_EQ(outstanding_claims(), 0u);
    EXPECT_TRUE(b.memory.allocate(4).ok());
}

TEST_F(DomainMemoryTest, ReferencesRaceWithTheEnd) {
    Domain& a = make_domain(1);
    std::atomic<bool> stop{false};
    std::atomic<u64> target{0};
    std::thread other([&] {
        arch::host_become_cpu(CpuId{1});
        while (!stop) {
            Frame& frame = frame_of(Mfn{target.load()});
            if (try_get_frame(frame, &a)) put_frame(frame);
        }
    });
    for (unsigned i = 0; i < 20'000; ++i) {
        const auto frame = a.memory.allocate(0);
        ASSERT_TRUE(frame.ok());
        target = frame->raw;
        ASSERT_TRUE(a.memory.release(frame_of(*frame)));
    }
    stop = true;
    other.join();
    EXPECT_EQ(a.memory.frames(), 64u);
}

}  // namespace
}  // namespace px
