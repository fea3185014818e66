// The end of PV domains: nothing is left, wherever they were interrupted.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

/// What World checks at the end of each test is that no frame and no object was lost.
class PvTeardownTest : public PvWorld {};

TEST_F(PvTeardownTest, EverythingThatADomainHolds) {
    Domain& a = make_pv(1, 2);
    write_tree(a);
    words(a, 3)[1] = entry(a, 3, read_bits);
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
    ASSERT_EQ(value(pin_all(a, 2, FrameType::l2)), 0);
    ASSERT_EQ(value(set_root(memory(a, 0), mfn(a, 0), Root::kernel)), 0);
    ASSERT_EQ(value(set_root(memory(a, 0), mfn(a, 9), Root::user)), 0);
    ASSERT_EQ(value(set_root(memory(a, 1), mfn(a, 0), Root::kernel)), 0);
    const u64 gdt[] = {mfn(a, 12).raw, mfn(a, 12).raw};
    ASSERT_TRUE(set_gdt(memory(a, 1), gdt, 600).ok());
    ASSERT_EQ(value(set(a, 3, 5, entry(a, 13, read_bits))), 0);
    ASSERT_TRUE(set_ldt(memory(a), 0x5000, 10).ok());
    ASSERT_TRUE(map_ldt_page(memory(a), 0).ok());
    // Linear tables, whose target has no other use.
    ASSERT_EQ(value(pin_all(a, 20, FrameType::l4)), 0);
    ASSERT_EQ(value(pin_all(a, 21, FrameType::l4)), 0);
    ASSERT_EQ(value(set(a, 21, 4, entry(a, 20, read_bits))), 0);
    ASSERT_TRUE(unpin_all(a, 20).ok());
    fake().always_pause = true;
    kill_pv(1);
}

TEST_F(PvTeardownTest, PartialTablesOfEveryKind) {
    for (i64 at = 0; at<1600; at += at> 30 ? 97 : 1) {
        Domain& a = make_pv(1);
        write_tree(a);
        for (u64 n = 0; n < 3; ++n) std::fill_n(words(a, n) + 1, entries_per_table - 1, Entry::bit_writable);  // looked at one by one
        words(a, 1)[400] = entry(a, 5, user_bits);
        words(a, 5)[1] = entry(a, 3, user_bits);
        fake().questions = 0;
        fake().pause_at = at;
        const bool failing = at % 2 != 0;
        if (failing) words(a, 0)[500] = 0xf'ffff'ffff'f007;
        (void)pin(memory(a), a, mfn(a, 0), FrameType::l4);  // and nobody goes on
        if (!failing && value(pin_all(a, 0, FrameType::l4)) == 0) {
            fake().questions = 0;
            (void)unpin(memory(a), a, mfn(a, 0));
        }
        fake().pause_at = -1;
        kill_pv(1);
    }
}

TEST_F(PvTeardownTest, OthersMappingsKeepTheirPages) {
    Domain& a = make_pv(1, 1, true);
    make_pv(2);
    Domain& b = **find_domain(DomId{2});
    ASSERT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
    ASSERT_EQ(value(set(a, 3, 0, entry(b, 5, user_bits), PageOwner::of(b))), 0);
    Frame& page = frame(b, 5);
    kill_pv(2);
    EXPECT_EQ(page.references, 1u);
    EXPECT_EQ(use_of(page).count, 1u);
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(page.references, 0u);
}

TEST_F(PvTeardownTest, NothingBeginsInADyingDomain) {
    Domain& a = make_pv(1, 1, true);
    Domain& b = make_pv(2);
    const DomainRef keep(b);
    ASSERT_EQ(value(pin_all(b, 3, FrameType::l1)), 0);
    ASSERT_EQ(value(pin(memory(a), b, mfn(b, 9), FrameType::l1)), 0) << "a may pin b's";
    std::fill_n(words(b, 10), 2, Entry::bit_writable);  // not present, but looked at one by one
    fake().pause_at = -1;
    b.arch.relinquish = [](Domain& dying) {
        Domain& controller = **find_domain(DomId{1});
        VcpuMemory& caller = machine::guest_of(controller)->of(*controller.vcpu(VcpuId{0}));
        const Mfn l1 = mfn(dying, 3), other = mfn(dying, 10);
        EXPECT_EQ(value(pin(caller, dying, other, FrameType::l1)), error(Errno::einval));
        OpenTable open;
        EXPECT_EQ(value(change_word(caller, dying, to_paddr(l1), Entry{}, PageOwner::of(dying), false, open)), error(Errno::einval));
        fake().always_pause = true;
        Result<Progress> taken = take_use(caller, dying, other, FrameType::l2);
        EXPECT_EQ(value(taken), error(Errno::einval)) << "interrupted: its teardown may have passed";
        while (finish(caller) == Progress::more) {}
        fake().always_pause = false;
        EXPECT_EQ(use_of(frame_of(other)).count, 0u);
        return machine::guest_of(dying)->relinquish();
    };
    kill_pv(2);
}

TEST_F(PvTeardownTest, AThousandDomains) {
    for (unsigned i = 0; i < 1000; ++i) {
        Domain& a = make_pv(1);
        write_tree(a);
        ASSERT_EQ(value(pin_all(a, i % 4, type_of(Level(4 - i % 4)))), 0);
        kill_pv(1);
    }
}

}  // namespace
}  // namespace px::pv
