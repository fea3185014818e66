// What entries of L1 tables may map: own and foreign pages, the hypervisor's, device memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

class PvMappingTest : public PvWorld {
protected:
    Domain& a = make_pv(1, 1, true);
    Domain& b = make_pv(2);
    PageOwner of_b = PageOwner::of(b);
    PageOwner device_memory{PageOwner::Kind::device_memory, a};
    PageOwner hypervisor{PageOwner::Kind::hypervisor, a};

    PvMappingTest() {
        EXPECT_EQ(value(pin_all(a, 3, FrameType::l1)), 0);
        EXPECT_EQ(value(pin_all(b, 3, FrameType::l1)), 0);
    }
};

TEST_F(PvMappingTest, ForeignPagesNeedTheRightAndTheRightName) {
    EXPECT_EQ(value(set(a, 3, 0, entry(b, 5, user_bits))), error(Errno::ebusy)) << "not a's own";
    EXPECT_EQ(value(set(a, 3, 0, entry(a, 5, user_bits), of_b)), error(Errno::ebusy)) << "not b's";
    ASSERT_EQ(value(set(a, 3, 0, entry(b, 5, user_bits), of_b)), 0);
    EXPECT_EQ(type(b, 5), FrameType::writable);
    EXPECT_EQ(references(b, 5), 2u);
    EXPECT_EQ(value(set(a, 3, 1, entry(b, 3, user_bits), of_b)), error(Errno::ebusy)) << "b's page table";
    ASSERT_EQ(value(set(a, 3, 1, entry(b, 3, read_bits), of_b)), 0);
    EXPECT_EQ(value(pin_all(b, 5, FrameType::l1)), error(Errno::einval)) << "a can write it";
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(value(pin_all(b, 5, FrameType::l1)), 0);
}

TEST_F(PvMappingTest, AControllerPassesItsRightOn) {
    // b's tables, "a's" pages: a may name those of any domain that it controls.
    EXPECT_EQ(value(set(b, 3, 0, entry(b, 5, read_bits), PageOwner::of(a))), 0);
    EXPECT_EQ(value(set(a, 3, 0, entry(b, 5, read_bits), PageOwner::of(a))), error(Errno::ebusy)) << "but not into its own tables";
}

TEST_F(PvMappingTest, ATableOfAnotherDomainIsNoTableOfOnes) {
    EXPECT_EQ(value(pin_all(a, 2, FrameType::l2)), 0);
    EXPECT_EQ(value(set(a, 2, 0, entry(b, 3, user_bits))), error(Errno::einval));
    EXPECT_EQ(value(pin(memory(a), a, mfn(b, 9), FrameType::l1)), error(Errno::einval));
    EXPECT_EQ(value(unpin(memory(a), a, mfn(b, 3))), error(Errno::einval));
}

TEST_F(PvMappingTest, HvmDomainsPagesHaveNoTypes) {
    Domain& hvm = make_domain(3);
    ASSERT_EQ(value(set(a, 3, 0, entry(hvm, 5, user_bits), PageOwner::of(hvm))), 0);
    EXPECT_EQ(count(hvm, 5), 0u);
    EXPECT_EQ(references(hvm, 5), 2u);
    ASSERT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(references(hvm, 5), 1u);
}

TEST_F(PvMappingTest, WhatTheHypervisorSharesIsNeverAnythingElse) {
    const Mfn shared = a.shared_info_mfn();
    const u64 at = to_paddr(shared).raw;
    ASSERT_EQ(value(set(a, 3, 0, at | user_bits)), 0);
    EXPECT_EQ(frame_of(shared).use.load(), Frame::use_shared);
    EXPECT_EQ(value(set(a, 3, 0, at | read_bits)), 0);
    EXPECT_EQ(value(pin(memory(a), a, shared, FrameType::l1)), error(Errno::einval));
    EXPECT_EQ(value(set(b, 3, 0, at | read_bits)), error(Errno::ebusy));
    EXPECT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(frame_of(shared).references, 1u);
}

TEST_F(PvMappingTest, TheHypervisorsOwnMemoryIsOutOfReach) {
    const Mfn ours = *allocate_frames(0);
    const u64 at = to_paddr(ours).raw;
    for (const PageOwner& pages : {PageOwner::of(a), of_b, device_memory, hypervisor}) {
        EXPECT_EQ(value(set(a, 3, 0, at | read_bits, pages)), error(Errno::ebusy));
    }
    EXPECT_EQ(frame_of(ours).references, 1u) << "not even for a moment";
    frame_of(ours).use = Frame::use_shared;  // what it shares with privileged domains
    EXPECT_EQ(value(set(a, 3, 0, at | read_bits)), error(Errno::ebusy));
    EXPECT_EQ(value(set(a, 3, 0, at | user_bits, hypervisor)), error(Errno::ebusy)) << "to be read only";
    EXPECT_EQ(value(set(a, 3, 0, at | read_bits, hypervisor)), 0);
    EXPECT_EQ(frame_of(ours).references, 2u);
    EXPECT_EQ(value(set(a, 3, 0, 0)), 0);
    EXPECT_EQ(value(set(a, 3, 0, entry(a, 5, read_bits), hypervisor)), error(Errno::ebusy));
    free_frames(ours, 0);
    EXPECT_EQ(value(set(a, 3, 0, at | read_bits, hypervisor)), error(Errno::ebusy)) << "free";
}

TEST_F(PvMappingTest, DeviceMemoryNeedsTheRight) {
    constexpr u64 device = io_frame << page_shift;
    EXPECT_EQ(value(set(a, 3, 0, device | user_bits)), error(Errno::eperm));
    EXPECT_EQ(value(set(a, 3, 0, Entry::frame_bits | user_bits)), error(Errno::einval)) << "no frame at all";
    fake().with_devices = {1};
    EXPECT_EQ(value(set(a, 3, 0, (io_frame + 16) << page_shift | user_bits)), error(Errno::eperm));
    EXPECT_EQ(value(set(a, 3, 0, device | user_bits, hypervisor)), error(Errno::eperm));
    EXPECT_EQ(value(set(b, 3, 0, device | user_bits, device_memory)), error(Errno::eperm)) << "b may not";
    ASSERT_EQ(value(set(a, 3, 0, device | user_bits)), 0);
    EXPECT_EQ(value(set(a, 3, 1, device | user_bits, device_memory)), 0);
    EXPECT_EQ(value(set(a, 3, 2, entry(a, 5, read_bits), device_memory)), error(Errno::ebusy)) << "nothing but device memory";
    fake().with_devices = {1, 2};
    EXPECT_EQ(value(set(b, 3, 0, device | user_bits, device_memory)), 0);
}

TEST_F(PvMappingTest, DeviceMemoryIsntCached) {
    constexpr u64 device = io_frame << page_shift, uncached = Entry::bit_write_through | Entry::bit_uncached;
    fake().with_devices = {1};
    const struct {
        u64 asked, given;
    } types[] = {{0, uncached},        {Entry::bit_write_through, uncached}, {Entry::bit_uncached, Entry::bit_uncached},
                 {uncached, uncached}, {Entry::bit_pat, Entry::bit_pat},     {Entry::bit_pat | Entry::bit_write_through, uncached}};
    for (const auto& [asked, given] : types) {
        ASSERT_EQ(value(set(a, 3, 0, device | user_bits | asked)), 0);
        EXPECT_EQ(words(a, 3)[0] & Entry::cache_bits, given) << asked;
    }
    ASSERT_EQ(value(set(a, 3, 1, entry(a, 5, user_bits | Entry::bit_pat))), 0) << "RAM has the type that such a domain wants";
    EXPECT_TRUE(words(a, 3)[1] & Entry::bit_pat);
}

TEST_F(PvMappingTest, ReadOnlyDeviceMemoryStaysSo) {
    fake().with_devices = {1};
    fake().read_only_io = {io_frame + 1};
    ASSERT_EQ(value(set(a, 3, 0, (io_frame + 1) << page_shift | user_bits)), 0);
    EXPECT_FALSE(words(a, 3)[0] & Entry::bit_writable);
    words(a, 9)[0] = (io_frame + 1) << page_shift | user_bits;
    ASSERT_EQ(value(pin_all(a, 9, FrameType::l1)), 0);
    EXPECT_FALSE(words(a, 9)[0] & Entry::bit_writable) << "also where a whole table is looked at";
}

TEST_F(PvMappingTest, ReferencesAreLeftForOthers) {
    Frame& page = frame(a, 5);
    const u32 before = page.references.exchange(u32{1} << 31);
    EXPECT_EQ(value(set(a, 3, 0, entry(a, 5, read_bits))), error(Errno::ebusy));
    page.references = before;
}

}  // namespace
}  // namespace px::pv
