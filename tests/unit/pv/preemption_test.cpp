// Long operations stop at every point where they can, and go on; or never do.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

class PvPreemptionTest : public PvWorld {
protected:
    Domain& a = make_pv(1, 2);

    /// An L4 (0) with two L3s (1, 2), which share an L2 (3) and have one each (4, 5), with L1s (6 … 9) that map 10 writable.
    void write_bush(u64 last_page_bits = user_bits) {
        // An empty entry is no place to stop at; one that only isn't present is.
        for (u64 n = 0; n < 10; ++n) std::fill_n(words(a, n), entries_per_table, n < 6 ? Entry::bit_writable : 0);
        words(a, 0)[0] = entry(a, 1, user_bits);
        words(a, 0)[400] = entry(a, 2, user_bits);
        words(a, 1)[0] = words(a, 2)[7] = entry(a, 3, user_bits);
        words(a, 1)[511] = entry(a, 4, user_bits);
        words(a, 2)[511] = entry(a, 5, user_bits);
        words(a, 3)[0] = entry(a, 6, user_bits);
        words(a, 3)[100] = entry(a, 7, user_bits);
        words(a, 4)[511] = entry(a, 8, user_bits);
        words(a, 5)[511] = entry(a, 9, user_bits);
        for (u64 n = 6; n < 9; ++n) words(a, n)[n] = entry(a, 10, user_bits);
        words(a, 9)[511] = entry(a, 10, last_page_bits);
    }
    void expect_bush() {
        EXPECT_EQ(count(a, 3), 2u);
        EXPECT_EQ(count(a, 10), 4u);
        EXPECT_EQ(references(a, 10), 5u);
        for (u64 n : {0, 1, 2, 4, 5, 6, 7, 8, 9}) {
            EXPECT_EQ(count(a, n), 1u) << n;
            EXPECT_EQ(references(a, n), 2u) << n;
        }
    }
    void expect_nothing() {
        for (u64 n = 0; n < 11; ++n) {
            EXPECT_EQ(use_of(frame(a, n)).word() & ~(7u << 29), 0u) << n;
            EXPECT_EQ(references(a, n), 1u) << n;
        }
    }
    static void begin(i64 pause_at) {
        fake().questions = 0;
        fake().pause_at = pause_at;
    }
};

TEST_F(PvPreemptionTest, PinAndUnpinStopAnywhere) {
    unsigned interrupted = 0;
    for (i64 at = 0; at < 8000; ++at) {
        write_bush();
        begin(at);
        ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
        expect_bush();
        const bool in_pin = static_cast<i64>(fake().questions) > at;
        begin(at);
        ASSERT_TRUE(unpin_all(a, 0).ok());
        expect_nothing();
        if (HasFailure()) FAIL() << "at question " << at;
        if (static_cast<i64>(fake().questions) <= at && !in_pin) break;
        ++interrupted;
        if (at > 40) at += 60;  // every kind of place comes early
    }
    EXPECT_GT(interrupted, 60u);
}

TEST_F(PvPreemptionTest, OneEntryAtATime) {
    fake().always_pause = true;
    write_bush();
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
    expect_bush();
    ASSERT_TRUE(unpin_all(a, 0).ok());
    expect_nothing();
}

TEST_F(PvPreemptionTest, AFailureUndoesWhatEarlierPartsDid) {
    for (i64 at = 0; at<6000; at += at> 40 ? 61 : 1) {
        write_bush(user_bits | Entry::bit_uncached);  // the very last entry is bad
        begin(at);
        ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), error(Errno::einval));
        expect_nothing();
        if (HasFailure()) FAIL() << "at question " << at;
    }
    fake().always_pause = true;
    write_bush(user_bits | Entry::bit_uncached);
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), error(Errno::einval));
    expect_nothing();
}

TEST_F(PvPreemptionTest, AnotherVcpuMayGoOn) {
    write_bush();
    begin(1000);
    ASSERT_EQ(value(pin(memory(a, 0), a, mfn(a, 0), FrameType::l4)), 1);
    EXPECT_TRUE(use_of(frame(a, 0)).partial);
    EXPECT_EQ(references(a, 0), 2u) << "the partial table's own";
    EXPECT_FALSE(memory(a, 0).unfinished) << "nobody's to finish";
    ASSERT_EQ(value(pin(memory(a, 1), a, mfn(a, 0), FrameType::l4)), 0);
    expect_bush();
    EXPECT_EQ(value(pin(memory(a, 0), a, mfn(a, 0), FrameType::l4)), error(Errno::einval)) << "pinned, by the other";
}

TEST_F(PvPreemptionTest, APartOfAPartialTreeMayBeUsedMeanwhile) {
    write_bush();
    begin(3);  // within the first L2
    ASSERT_EQ(value(pin(memory(a), a, mfn(a, 0), FrameType::l4)), 1);
    ASSERT_TRUE(use_of(frame(a, 3)).partial);
    ASSERT_EQ(value(pin(memory(a, 1), a, mfn(a, 3), FrameType::l2)), 0);
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
    EXPECT_EQ(count(a, 3), 3u);
    ASSERT_TRUE(unpin_all(a, 0).ok());
    EXPECT_EQ(count(a, 3), 1u);
}

TEST_F(PvPreemptionTest, APartialTableIsNoTableYet) {
    write_bush();
    begin(1000);
    ASSERT_EQ(value(pin(memory(a), a, mfn(a, 0), FrameType::l4)), 1);
    EXPECT_EQ(value(set(a, 0, 0, 0)), error(Errno::einval));
    EXPECT_EQ(value(pin_all(a, 0, FrameType::l3)), error(Errno::einval));
    EXPECT_EQ(value(unpin_all(a, 0)), error(Errno::einval));
}

TEST_F(PvPreemptionTest, AnUndoingThatIsInterruptedCanBecomeAValidationAgain) {
    write_bush();
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
    begin(700);
    ASSERT_TRUE(unpin(memory(a, 0), a, mfn(a, 0)).ok());
    ASSERT_TRUE(memory(a, 0).unfinished);
    ASSERT_TRUE(use_of(frame(a, 0)).partial);
    ASSERT_EQ(value(pin(memory(a, 1), a, mfn(a, 0), FrameType::l4)), 0);
    EXPECT_EQ(finish(memory(a, 0)), Progress::done) << "it is the other's now";
    expect_bush();
}

TEST_F(PvPreemptionTest, EntriesOfValidTablesComeAndGoInParts) {
    ASSERT_EQ(value(pin_all(a, 20, FrameType::l4)), 0);
    for (i64 at = 0; at<3000; at += at> 40 ? 61 : 1) {
        write_bush();
        begin(at);
        ASSERT_EQ(value(set(a, 20, 3, entry(a, 1, user_bits))), 0);
        EXPECT_EQ(count(a, 1), 1u);
        EXPECT_EQ(count(a, 3), 1u);
        EXPECT_EQ(count(a, 10), 3u);
        begin(at);
        ASSERT_EQ(value(set(a, 20, 3, 0)), 0);
        expect_nothing();
        write_bush(user_bits | Entry::bit_uncached);
        begin(at);
        ASSERT_EQ(value(set(a, 20, 3, entry(a, 2, user_bits))), error(Errno::einval));
        expect_nothing();
        if (HasFailure()) FAIL() << "at question " << at;
    }
    ASSERT_TRUE(unpin_all(a, 20).ok());
}

TEST_F(PvPreemptionTest, RootsChangeInParts) {
    write_bush();
    const auto set_all = [&](Mfn root, Root which) {
        Result<Progress> result = Progress::more;
        while (result.ok() && *result == Progress::more) {
            while (finish(memory(a)) == Progress::more) {}
            result = set_root(memory(a), root, which);
        }
        while (finish(memory(a)) == Progress::more) {}
        return value(result);
    };
    fake().always_pause = true;
    ASSERT_EQ(set_all(mfn(a, 0), Root::kernel), 0);
    ASSERT_EQ(set_all(mfn(a, 0), Root::user), 0);
    EXPECT_EQ(count(a, 0), 2u);
    ASSERT_EQ(set_all(mfn(a, 30), Root::kernel), 0);
    ASSERT_EQ(set_all(Mfn{0}, Root::user), 0);
    expect_nothing();
}

}  // namespace
}  // namespace px::pv
