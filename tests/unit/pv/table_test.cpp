// Page tables of PV guests: what they may hold, what they count, and that nobody writes them.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

class PvTableTest : public PvWorld {
protected:
    Domain& a = make_pv(1);

    i64 pinned(u64 n, FrameType type) { return value(pin_all(a, n, type)); }
    i64 set_value(u64 n, unsigned index, u64 entry) { return value(set(a, n, index, entry)); }
};

TEST_F(PvTableTest, ASharedFramesUseIsTheOneThatGenericCodeWrites) {
    EXPECT_EQ(FrameUse::valid_as(FrameType::shared).word(), Frame::use_shared);
}

TEST_F(PvTableTest, ATreeCountsWhatItNames) {
    write_tree(a);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    const FrameType types[] = {FrameType::l4, FrameType::l3, FrameType::l2, FrameType::l1, FrameType::writable};
    for (u64 n = 0; n < 5; ++n) {
        EXPECT_EQ(type(a, n), types[n]);
        EXPECT_EQ(count(a, n), 1u) << n;
        EXPECT_EQ(references(a, n), 2u) << "its allocation and one use";
        EXPECT_TRUE(use_of(frame(a, n)).validated);
    }
    EXPECT_TRUE(use_of(frame(a, 0)).pinned);
    EXPECT_EQ(pinned(0, FrameType::l4), error(Errno::einval)) << "pinned already";
    ASSERT_TRUE(unpin_all(a, 0).ok());
    for (u64 n = 0; n < 5; ++n) {
        EXPECT_EQ(count(a, n), 0u);
        EXPECT_EQ(references(a, n), 1u);
    }
    EXPECT_EQ(value(unpin_all(a, 0)), error(Errno::einval)) << "not pinned";
}

TEST_F(PvTableTest, EntriesAreStoredAsTheProcessorNeedsThem) {
    write_tree(a);
    words(a, 3)[1] = entry(a, 5, 1);  // of the guest's kernel
    words(a, 3)[2] = 0x1234000;       // not present: the guest's own business
    words(a, 2)[0] = entry(a, 3, 3);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(words(a, 3)[0], entry(a, 4, user_bits | Entry::bit_global));
    EXPECT_EQ(words(a, 3)[1], entry(a, 5, read_bits | Entry::bit_kernel));
    EXPECT_EQ(words(a, 3)[2], 0x1234000u);
    EXPECT_EQ(words(a, 2)[0], entry(a, 3, user_bits));
    ASSERT_EQ(set_value(3, 3, entry(a, 6, 3)), 0);
    EXPECT_EQ(words(a, 3)[3], entry(a, 6, user_bits | Entry::bit_kernel));
}

TEST_F(PvTableTest, AnL4GetsTheHypervisorsSlotsAndOnlyThose) {
    words(a, 0)[256] = entry(a, 9, user_bits);
    words(a, 0)[271] = ~u64{0};
    words(a, 0)[272] = entry(a, 1, user_bits);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(words(a, 0)[256], 0x1000u | 256u << 20 | 1);
    EXPECT_EQ(count(a, 9), 0u);
    EXPECT_EQ(count(a, 1), 1u);
    for (unsigned slot = first_hypervisor_slot; slot < end_hypervisor_slots; ++slot) {
        EXPECT_EQ(set_value(0, slot, 0), error(Errno::einval));
        EXPECT_EQ(set_value(0, slot, entry(a, 2, user_bits)), error(Errno::einval));
    }
    EXPECT_EQ(set_value(0, 255, entry(a, 2, user_bits)), 0);
    EXPECT_EQ(set_value(0, 272, 0), 0);
    EXPECT_EQ(fake().root_changes, 2u);
    EXPECT_EQ(count(a, 1), 0u);
    ASSERT_TRUE(unpin_all(a, 0).ok());
    EXPECT_EQ(count(a, 2), 0u);
}

TEST_F(PvTableTest, BadEntriesFailAndLeaveNothing) {
    const struct {
        u64 table;
        u64 entry;
        const char* why;
    } bad[] = {
        {1, entry(a, 9, user_bits | Entry::bit_large), "a large page in an L3"},
        {2, entry(a, 9, user_bits | Entry::bit_large), "a large page in an L2"},
        {0, entry(a, 9, user_bits | Entry::bit_large), "a large page in an L4"},
        {2, entry(a, 9, user_bits | Entry::bit_global), "a global table"},
        {2, entry(a, 9, user_bits | Entry::bit_uncached), "an uncached table"},
        {1, entry(a, 9, user_bits | Entry::bit_write_through), "a write-through table"},
        {3, entry(a, 9, user_bits | Entry::bit_pat), "memory types are for those who have devices"},
        {3, entry(a, 9, user_bits | Entry::bit_uncached), "memory types are for those who have devices"},
        {2, 0xf'ffff'ffff'f000 | user_bits, "no RAM"},
        {1, entry(a, 2, user_bits), "the same L2 is fine, but see below"},
    };
    for (const auto& [table, value, why] : bad) {
        for (u64 n = 0; n < 16; ++n) std::fill_n(words(a, n), entries_per_table, 0);
        write_tree(a);
        words(a, table)[511] = value;
        const bool fine = table == 1 && value == entry(a, 2, user_bits);
        EXPECT_EQ(pinned(0, FrameType::l4), fine ? 0 : error(Errno::einval)) << why;
        if (fine) {
            EXPECT_EQ(count(a, 2), 2u) << "an L2 may be named twice";
            ASSERT_TRUE(unpin_all(a, 0).ok());
        }
        for (u64 n = 0; n < 16; ++n) {
            EXPECT_EQ(count(a, n), 0u) << why;
            EXPECT_EQ(references(a, n), 1u) << why;
        }
        EXPECT_FALSE(memory(a).unfinished);
    }
}

TEST_F(PvTableTest, BadEntriesAreRefusedOneByOneToo) {
    write_tree(a);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(set_value(2, 1, entry(a, 9, user_bits | Entry::bit_large)), error(Errno::einval));
    EXPECT_EQ(set_value(2, 1, entry(a, 1, user_bits)), error(Errno::einval)) << "an L3 is no L1";
    EXPECT_EQ(set_value(2, 1, 0xf'ffff'ffff'f000 | user_bits), error(Errno::einval));
    EXPECT_EQ(set_value(3, 1, entry(a, 9, user_bits | Entry::bit_pat)), error(Errno::einval));
    EXPECT_EQ(words(a, 2)[1], 0u);
    EXPECT_EQ(words(a, 3)[1], 0u);
    EXPECT_EQ(count(a, 9), 0u);
}

TEST_F(PvTableTest, APageTableIsNeverMappedWritable) {
    write_tree(a);
    words(a, 3)[7] = entry(a, 2, user_bits);  // its own L2
    EXPECT_EQ(pinned(0, FrameType::l4), error(Errno::ebusy));
    words(a, 3)[7] = entry(a, 3, user_bits);  // itself
    EXPECT_EQ(pinned(0, FrameType::l4), error(Errno::ebusy));
    words(a, 3)[7] = entry(a, 3, read_bits);
    ASSERT_EQ(pinned(0, FrameType::l4), 0) << "to read it is fine";
    EXPECT_EQ(references(a, 3), 3u);
    for (u64 n = 0; n < 4; ++n) EXPECT_EQ(set_value(3, 8, entry(a, n, user_bits)), error(Errno::ebusy));
    EXPECT_EQ(set_value(3, 7, entry(a, 3, user_bits)), error(Errno::ebusy)) << "also not by changing one bit";
    // And what is writable can't become one.
    EXPECT_EQ(pinned(4, FrameType::l1), error(Errno::einval));
    EXPECT_EQ(set_value(2, 5, entry(a, 4, user_bits)), error(Errno::einval));
    ASSERT_EQ(set_value(3, 0, entry(a, 4, read_bits)), 0);
    EXPECT_EQ(pinned(4, FrameType::l1), 0) << "nobody writes it any more";
}

TEST_F(PvTableTest, AFrameHasOneTypeAtATime) {
    write_tree(a);
    ASSERT_EQ(pinned(1, FrameType::l3), 0);
    EXPECT_EQ(pinned(1, FrameType::l2), error(Errno::einval));
    EXPECT_EQ(pinned(2, FrameType::l1), error(Errno::einval));
    EXPECT_EQ(pinned(2, FrameType::l2), 0);
    EXPECT_EQ(count(a, 2), 2u);
    ASSERT_TRUE(unpin_all(a, 1).ok());
    EXPECT_EQ(count(a, 2), 1u);
    EXPECT_EQ(type(a, 2), FrameType::l2);
}

TEST_F(PvTableTest, ReplacingAnEntryGivesBackTheOldOne) {
    write_tree(a);
    words(a, 8)[0] = entry(a, 9, user_bits);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    ASSERT_EQ(set_value(2, 0, entry(a, 8, user_bits)), 0);
    EXPECT_EQ(count(a, 3), 0u);
    EXPECT_EQ(count(a, 4), 0u);
    EXPECT_EQ(count(a, 9), 1u);
    ASSERT_EQ(set_value(1, 0, 0), 0);
    EXPECT_EQ(count(a, 2), 0u);
    EXPECT_EQ(count(a, 9), 0u);
}

TEST_F(PvTableTest, HarmlessBitsChangeWithoutAnotherCount) {
    write_tree(a);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    ASSERT_EQ(set_value(3, 0, entry(a, 4, user_bits | Entry::bit_no_execute | Entry::bits_software)), 0);
    EXPECT_EQ(words(a, 3)[0], entry(a, 4, user_bits | Entry::bit_global | Entry::bit_no_execute | Entry::bits_software));
    EXPECT_EQ(count(a, 4), 1u);
    EXPECT_EQ(references(a, 4), 2u);
    ASSERT_EQ(set_value(2, 0, entry(a, 3, user_bits | Entry::bit_accessed)), 0);
    EXPECT_EQ(count(a, 3), 1u);
}

TEST_F(PvTableTest, AccessedAndDirtyAreKeptWhereAskedFor) {
    write_tree(a);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    words(a, 3)[0] |= Entry::accessed_dirty;  // by the processor
    OpenTable open;
    ASSERT_EQ(value(change_word(memory(a), a, address(a, 3, 0), Entry{entry(a, 5, user_bits)}, PageOwner::of(a), true, open)), 0);
    EXPECT_EQ(words(a, 3)[0], entry(a, 5, user_bits | Entry::bit_global | Entry::accessed_dirty));
    ASSERT_EQ(value(change_word(memory(a), a, address(a, 3, 0), Entry{entry(a, 5, user_bits)}, PageOwner::of(a), false, open)), 0);
    EXPECT_EQ(words(a, 3)[0], entry(a, 5, user_bits | Entry::bit_global));
}

TEST_F(PvTableTest, OrdinaryMemoryIsWrittenAsItIs) {
    ASSERT_EQ(set_value(9, 3, 0xabcdef), 0);
    EXPECT_EQ(words(a, 9)[3], 0xabcdefu);
    EXPECT_EQ(count(a, 9), 0u);
    write_tree(a);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    ASSERT_EQ(set_value(4, 3, 0xabcdef), 0) << "mapped writable, too";
    EXPECT_EQ(count(a, 4), 1u);
    u64 gdt = mfn(a, 10).raw;
    ASSERT_TRUE(set_gdt(memory(a), {&gdt, 1}, 1).ok());
    EXPECT_EQ(set_value(10, 0, 1), error(Errno::einval)) << "descriptors have a hypercall of their own";
}

TEST_F(PvTableTest, OnesOwnRootMayNameItself) {
    write_tree(a);
    words(a, 0)[300] = entry(a, 0, read_bits);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(count(a, 0), 1u) << "which counts nothing";
    EXPECT_EQ(references(a, 0), 2u);
    EXPECT_EQ(set_value(0, 300, entry(a, 0, user_bits)), error(Errno::einval)) << "but not for writing";
    ASSERT_TRUE(unpin_all(a, 0).ok());
    EXPECT_EQ(count(a, 0), 0u);
    words(a, 0)[300] = entry(a, 0, user_bits);
    EXPECT_EQ(pinned(0, FrameType::l4), error(Errno::einval));
}

TEST_F(PvTableTest, LinearTablesNameValidOnesOfTheirLevel) {
    words(a, 0)[1] = entry(a, 10, read_bits);
    EXPECT_EQ(pinned(0, FrameType::l4), 0) << "10 becomes an L3 where it isn't an L4 yet";
    EXPECT_EQ(type(a, 10), FrameType::l3);
    ASSERT_TRUE(unpin_all(a, 0).ok());
    words(a, 0)[1] = 0;
    ASSERT_EQ(pinned(10, FrameType::l4), 0);
    words(a, 0)[1] = entry(a, 10, read_bits);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(count(a, 10), 2u);
    EXPECT_EQ(references(a, 10), 3u);
    // 10 is named so, and may name none so; 0 names one, and may not be named so.
    ASSERT_EQ(pinned(11, FrameType::l4), 0);
    EXPECT_EQ(set_value(10, 1, entry(a, 11, read_bits)), error(Errno::einval));
    EXPECT_EQ(set_value(11, 1, entry(a, 0, read_bits)), error(Errno::einval));
    EXPECT_EQ(set_value(11, 1, entry(a, 10, user_bits)), error(Errno::einval)) << "not for writing";
    EXPECT_EQ(set_value(11, 1, entry(a, 10, read_bits)), 0);
    EXPECT_EQ(count(a, 10), 3u);
    EXPECT_EQ(set_value(11, 1, 0), 0);
    // Its other uses may end first.
    ASSERT_TRUE(unpin_all(a, 10).ok());
    EXPECT_EQ(count(a, 10), 1u);
    ASSERT_TRUE(unpin_all(a, 0).ok());
    EXPECT_EQ(count(a, 10), 0u);
    EXPECT_EQ(references(a, 10), 1u);
    std::fill_n(words(a, 10), entries_per_table, 0);
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(type(a, 10), FrameType::l3) << "nothing is left of the parts that they played";
}

TEST_F(PvTableTest, RootsCountAsPinsDo) {
    write_tree(a);
    VcpuMemory& cpu = memory(a);
    ASSERT_EQ(value(set_root(cpu, mfn(a, 0), Root::kernel)), 0);
    ASSERT_EQ(value(set_root(cpu, mfn(a, 0), Root::user)), 0);
    EXPECT_EQ(count(a, 0), 2u);
    ASSERT_EQ(value(set_root(cpu, mfn(a, 0), Root::kernel)), 0) << "the same again";
    EXPECT_EQ(count(a, 0), 2u);
    EXPECT_EQ(value(set_root(cpu, mfn(a, 1), Root::kernel)), error(Errno::einval)) << "an L3";
    EXPECT_EQ(value(set_root(cpu, Mfn{0}, Root::kernel)), error(Errno::einval)) << "a kernel has one";
    ASSERT_EQ(value(set_root(cpu, mfn(a, 9), Root::kernel)), 0);
    EXPECT_EQ(count(a, 0), 1u);
    ASSERT_EQ(value(set_root(cpu, Mfn{0}, Root::user)), 0);
    EXPECT_EQ(count(a, 0), 0u);
    EXPECT_EQ(count(a, 4), 0u);
    EXPECT_EQ(fake().root_loads, 5u);
}

TEST_F(PvTableTest, NothingIsUsedMoreOftenThanItCanBeCounted) {
    write_tree(a);
    ASSERT_EQ(pinned(3, FrameType::l1), 0);
    FrameUse use = use_of(frame(a, 3));
    const FrameUse before = use;
    use.count = FrameUse::most;
    settle_use(frame(a, 3), use);
    words(a, 2)[0] = entry(a, 3, user_bits);
    EXPECT_EQ(pinned(2, FrameType::l2), error(Errno::einval));
    EXPECT_FALSE(LockedTable::lock(frame(a, 3)).ok());
    settle_use(frame(a, 3), before);
    EXPECT_EQ(pinned(2, FrameType::l2), 0);
}

TEST_F(PvTableTest, NotPresentEntriesCantLeadASpeculatingCpuToOthersMemory) {
    fake().l1tf_safe_from = u64{1} << 40;
    write_tree(a);
    words(a, 3)[5] = u64{1} << 40 | 0xe;
    words(a, 2)[5] = 0x80;
    ASSERT_EQ(pinned(0, FrameType::l4), 0);
    EXPECT_EQ(set_value(3, 6, 0x1000), error(Errno::einval));
    EXPECT_EQ(set_value(2, 6, (u64{1} << 40) - 0x1000), error(Errno::einval));
    words(a, 7)[0] = 0x1000;
    EXPECT_EQ(pinned(7, FrameType::l3), error(Errno::einval));
    EXPECT_EQ(pinned(7, FrameType::l1), error(Errno::einval));
    EXPECT_EQ(words(a, 3)[6], 0u);
}

TEST_F(PvTableTest, OnlyGuestAddressesAreGuestAddresses) {
    EXPECT_TRUE(is_guest_address(0));
    EXPECT_TRUE(is_guest_address(0x7fff'ffff'ffff));
    EXPECT_FALSE(is_guest_address(0x8000'0000'0000));
    EXPECT_FALSE(is_guest_address(0xffff'8000'0000'0000));
    EXPECT_FALSE(is_guest_address(0xffff'87ff'ffff'ffff));
    EXPECT_TRUE(is_guest_address(0xffff'8800'0000'0000));
    EXPECT_TRUE(is_guest_address(~u64{0}));
    EXPECT_FALSE(is_guest_address(u64{1} << 63));
}

}  // namespace
}  // namespace px::pv
