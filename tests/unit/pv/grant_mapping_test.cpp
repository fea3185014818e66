// Grants in the page tables of PV guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/grant_mapping.hpp"

#include "hypervisor/abi/grant_table.hpp"
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

namespace gntmap = abi::gntmap;

class PvGrantMappingTest : public PvWorld {
protected:
    Domain& granter = make_pv(1);
    Domain& a = make_pv(2);
    const Mfn granted = mfn(granter, 5);
    const Entry to_write = grant_entry(granted, gntmap::host_map), to_read = grant_entry(granted, gntmap::host_map | gntmap::readonly);

    PvGrantMappingTest() {
        write_tree(a);
        EXPECT_EQ(value(set_root(memory(a), mfn(a, 0), Root::kernel)), 0);
    }
    i64 place(const GrantPlace& at, Entry entry) { return value(place_grant(memory(a), at, entry)); }
    i64 remove(const GrantPlace& at, Entry entry, u64 replacement = 0) {
        const auto flush = remove_grant(memory(a), at, entry, replacement);
        if (flush) flush->settle();
        return flush ? 0 : error(flush.error());
    }
    static GrantPlace page(u64 n) { return {n << page_shift}; }
};

TEST_F(PvGrantMappingTest, TheEntryIsWhatTheFlagsSay) {
    EXPECT_EQ(to_write.raw, to_paddr(granted).raw | user_bits | Entry::accessed_dirty | Entry::bit_kernel);
    EXPECT_EQ(to_read.raw, to_write.raw & ~Entry::bit_writable);
    const u32 for_users = gntmap::host_map | gntmap::application_map | 5u << gntmap::guest_avail0_bit;
    EXPECT_EQ(grant_entry(granted, for_users).raw, to_paddr(granted).raw | user_bits | Entry::accessed_dirty | Entry::bit_global | 0xa00);
}

TEST_F(PvGrantMappingTest, ByLinearAddress) {
    ASSERT_EQ(place(page(7), to_write), 0);
    EXPECT_EQ(words(a, 3)[7], to_write.raw);
    EXPECT_EQ(count(granter, 5), 1u);
    EXPECT_EQ(references(granter, 5), 2u);
    EXPECT_EQ(value(pin_all(granter, 5, FrameType::l1)), error(Errno::einval)) << "others may write it";
    EXPECT_EQ(remove(page(8), to_write), error(Errno::einval));
    EXPECT_EQ(remove(page(7), to_read), error(Errno::einval));
    ASSERT_EQ(remove(page(7), to_write), 0);
    EXPECT_EQ(fake().tlb_flushes, 1u) << "owed, and done";
    EXPECT_EQ(words(a, 3)[7], 0u);
    EXPECT_EQ(count(granter, 5), 0u);
    EXPECT_EQ(references(granter, 5), 1u);
}

TEST_F(PvGrantMappingTest, ByTheEntrysOwnAddress) {
    const GrantPlace at{address(a, 3, 9).raw, true};
    ASSERT_EQ(place(at, to_read), 0);
    EXPECT_EQ(count(granter, 5), 0u);
    EXPECT_EQ(references(granter, 5), 2u);
    ASSERT_EQ(remove(at, to_read), 0);
    EXPECT_EQ(references(granter, 5), 1u);
    for (const GrantPlace& bad :
         {GrantPlace{at.address + 4, true}, GrantPlace{address(a, 2, 1).raw, true}, GrantPlace{address(granter, 3, 0).raw, true},
          GrantPlace{io_frame << page_shift, true}, GrantPlace{address(a, 9, 0).raw, true}}) {
        EXPECT_EQ(place(bad, to_write), error(Errno::einval));
        EXPECT_EQ(remove(bad, to_write), error(Errno::einval));
    }
    EXPECT_EQ(count(granter, 5), 0u);
    EXPECT_EQ(references(granter, 5), 1u);
}

TEST_F(PvGrantMappingTest, WhatStoodThereIsGivenBack) {
    ASSERT_EQ(count(a, 4), 1u);
    ASSERT_EQ(place(page(0), to_write), 0);
    EXPECT_EQ(count(a, 4), 0u);
    // And the guest may overwrite a grant: its entry's own reference goes.
    ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, user_bits))), 0);
    EXPECT_EQ(references(granter, 5), 1u);
    EXPECT_EQ(remove(page(0), to_write), error(Errno::einval));
    EXPECT_EQ(count(a, 4), 1u);
}

TEST_F(PvGrantMappingTest, WhatIsNoWritablePageIsntMappedSo) {
    ASSERT_EQ(value(pin_all(granter, 5, FrameType::l1)), 0);
    EXPECT_EQ(place(page(7), to_write), error(Errno::ebusy));
    EXPECT_EQ(place(page(7), to_read), 0);
    EXPECT_EQ(place(page(600), to_read), error(Errno::einval)) << "no L1 there";
    EXPECT_EQ(references(granter, 5), 3u);
}

TEST_F(PvGrantMappingTest, AnHvmGrantersPagesHaveNoTypes) {
    Domain& hvm = make_domain(7);
    const Entry entry_of_hvm = grant_entry(mfn(hvm, 3), gntmap::host_map);
    ASSERT_EQ(place(page(7), entry_of_hvm), 0);
    EXPECT_EQ(count(hvm, 3), 0u);
    EXPECT_EQ(references(hvm, 3), 2u);
    ASSERT_EQ(remove(page(7), entry_of_hvm), 0);
    EXPECT_EQ(references(hvm, 3), 1u);
}

TEST_F(PvGrantMappingTest, UnmappedAndReplaced) {
    ASSERT_EQ(place(page(7), to_write), 0);
    ASSERT_EQ(value(set(a, 3, 8, entry(a, 6, user_bits))), 0);
    const u64 moved = words(a, 3)[8];
    EXPECT_EQ(remove(page(7), to_write, 9 << page_shift), error(Errno::einval)) << "nothing is there";
    EXPECT_EQ(remove({address(a, 3, 7).raw, true}, to_write, 8 << page_shift), error(Errno::einval));
    EXPECT_EQ(remove(page(7), to_read, 8 << page_shift), error(Errno::einval));
    EXPECT_EQ(words(a, 3)[8], moved) << "still";
    ASSERT_EQ(remove(page(7), to_write, 8 << page_shift), 0);
    EXPECT_EQ(words(a, 3)[7], moved);
    EXPECT_EQ(words(a, 3)[8], 0u);
    EXPECT_EQ(count(a, 6), 1u);
    EXPECT_EQ(references(granter, 5), 1u);
}

}  // namespace
}  // namespace px::pv
