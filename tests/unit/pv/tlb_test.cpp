// Stale translations: what the clock of flushes knows, and that no frame changes its type under one.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

constexpr CpuId cpu0{0}, cpu1{1};
const CpuMask both = CpuMask::first_n(2);

TEST(TlbClockTest, AFlushAfterTheStampIsEnough) {
    TlbClock clock;
    EXPECT_TRUE(clock.stale(both, 0).empty()) << "nothing was mapped";
    const u32 stamp = clock.stamp();
    EXPECT_EQ(clock.stale(both, stamp), both);
    clock.flushing(cpu0, [] {});
    EXPECT_EQ(clock.stale(both, stamp), CpuMask::of(cpu1));
    const u32 later = clock.stamp();
    EXPECT_EQ(clock.stale(both, later), both);
    clock.flushing(cpu1, [] {});
    EXPECT_TRUE(clock.stale(both, stamp).empty());
    EXPECT_EQ(clock.stale(both, later), CpuMask::of(cpu0));
}

TEST(TlbClockTest, AStampDuringAFlushComesAfterIt) {
    TlbClock clock;
    u32 during = 0;
    clock.flushing(cpu0, [&] { during = clock.stamp(); });
    EXPECT_EQ(clock.stale(CpuMask::of(cpu0), during), CpuMask::of(cpu0));
}

TEST(TlbClockTest, HalfTheClockIsEnoughForAStamp) {
    for (const u64 begin : {(u64{1} << 32) - 3, (u64{1} << 32) - 1, u64{1} << 32, u64{7} << 32}) {
        TlbClock clock;
        clock.begin_at(begin);
        clock.flushing(cpu0, [] {});
        for (unsigned i = 0; i < 6; ++i) {
            const u32 stamp = clock.stamp();
            EXPECT_NE(stamp, 0u);
            EXPECT_TRUE(clock.stale(both, stamp).has(cpu0));
            clock.flushing(cpu0, [] {});
            EXPECT_FALSE(clock.stale(both, stamp).has(cpu0));
            EXPECT_TRUE(clock.stale(both, stamp).has(cpu1)) << "never flushed";
        }
        // Long ago: a stamp that now means something else costs a flush at worst, and never saves one.
        const u32 old = clock.stamp();
        clock.begin_at(begin + (u64{1} << 32) + 50);
        EXPECT_TRUE(clock.stale(both, old).has(cpu1));
    }
}

class PvTlbTest : public PvWorld {
protected:
    Domain& a = make_pv(1);
};

TEST_F(PvTlbTest, AWritablePageIsFlushedBeforeItIsATable) {
    write_tree(a);
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
    EXPECT_EQ(fake().tlb_flushes, 0u) << "fresh frames were mapped by nobody";
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(fake().tlb_flushes, 0u) << "not before it is needed";
    ASSERT_EQ(value(pin_all(a, 4, FrameType::l1)), 0);
    EXPECT_EQ(fake().tlb_flushes, 1u);
    EXPECT_EQ(fake().flushed, fake().cpus);
    ASSERT_TRUE(unpin_all(a, 4).ok());
    ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, user_bits))), 0);
    EXPECT_EQ(fake().tlb_flushes, 2u) << "and a table before it is writable: a CPU may still walk it";
}

TEST_F(PvTlbTest, OnlyCpusThatHaventFlushedSinceAreFlushed) {
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, user_bits))), 0);
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    fake().clock.flushing(cpu1, [] {});
    ASSERT_EQ(value(pin_all(a, 4, FrameType::l1)), 0);
    EXPECT_EQ(fake().flushed, CpuMask::of(cpu0));
    EXPECT_EQ(fake().tlb_flushes, 1u);
}

TEST_F(PvTlbTest, TheSameTypeAgainFlushesNothing) {
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    for (unsigned i = 0; i < 3; ++i) {
        ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, user_bits))), 0);
        ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    }
    ASSERT_TRUE(unpin_all(a, 3).ok());
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    EXPECT_EQ(fake().tlb_flushes, 0u);
}

TEST_F(PvTlbTest, TheLastUseCounts) {
    // Mapped twice: the stamp is that of the second's end.
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, user_bits))), 0);
    ASSERT_EQ(value(set(a, 3, 1, entry(a, 4, user_bits))), 0);
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    machine::flush_tlb(both);
    ASSERT_EQ(value(set(a, 3, 1, 0)), 0);
    ASSERT_EQ(value(pin_all(a, 4, FrameType::l1)), 0);
    EXPECT_EQ(fake().tlb_flushes, 2u);
}

TEST_F(PvTlbTest, AFreedPageIsFlushedBeforeItsNextOwnerHasIt) {
    Domain& b = make_domain(2);
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, read_bits))), 0);
    fake().tlb_flushes = 0;
    Frame& page = frame(a, 4);
    ASSERT_TRUE(a.memory.release(page));
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(page.references, 0u);
    EXPECT_EQ(fake().tlb_flushes, 0u) << "not before it is needed";
    ASSERT_TRUE(b.memory.allocate_exactly(mfn_of(page)).ok());
    EXPECT_EQ(fake().tlb_flushes, 1u);
    EXPECT_EQ(page.use, 0u);
    ASSERT_TRUE(b.memory.release(page));
    EXPECT_EQ(page.use, 0u) << "domains with a physmap flush when a mapping ends";
}

}  // namespace
}  // namespace px::pv
