// Descriptors, GDT and LDT of PV guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/descriptor.hpp"

#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

constexpr u64 user_code = 0x00affb00'0000ffff, user_data = 0x00cff300'0000ffff;
constexpr u64 with_privilege(u64 descriptor, u64 level) { return (descriptor & ~(u64{3} << 45)) | level << 45; }
constexpr u64 system(u64 type) { return u64{1} << 47 | u64{3} << 45 | type << 40; }
constexpr u64 gate(u64 selector, u64 level = 3) { return u64{1} << 47 | level << 45 | u64{0xc} << 40 | selector << 16 | 0x1234; }

TEST(PvDescriptorTest, SegmentsAreTheUsers) {
    for (u64 level = 0; level < 4; ++level) {
        EXPECT_EQ(safe_descriptor(with_privilege(user_code, level)), user_code);
        EXPECT_EQ(safe_descriptor(with_privilege(user_data, level)), user_data);
    }
}

TEST(PvDescriptorTest, WhatIsNotPresentIsHarmless) {
    for (u64 type = 0; type < 32; ++type) {
        const u64 descriptor = type << 40 | 0x1234;
        EXPECT_EQ(safe_descriptor(descriptor), descriptor);
    }
}

TEST(PvDescriptorTest, SystemSegmentsAreRefused) {
    for (u64 type = 1; type < 16; ++type) {
        EXPECT_EQ(safe_descriptor(system(type)).has_value(), type == 0xc) << type << ": TSS, LDT, interrupt and task gates";
    }
    EXPECT_EQ(safe_descriptor(system(0)), system(0)) << "the upper half of a call gate";
}

TEST(PvDescriptorTest, CallGatesAlwaysFault) {
    EXPECT_EQ(safe_descriptor(gate(0x10)), gate(0x13, 0));
    EXPECT_EQ(safe_descriptor(gate(0x13)), gate(0x13, 0));
    EXPECT_EQ(safe_descriptor(gate(7)), gate(7, 0)) << "of the LDT";
    EXPECT_EQ(safe_descriptor(gate(0xe033)), gate(0xe033, 0)) << "the flat segment that every guest has";
    EXPECT_FALSE(safe_descriptor(gate(0xe008)).has_value()) << "code of ours";
    EXPECT_FALSE(safe_descriptor(gate(0xe02b)).has_value());
    EXPECT_FALSE(safe_descriptor(gate(0x10) | u64{1} << 32).has_value()) << "copies parameters";
}

class PvDescriptorTablesTest : public PvWorld {
protected:
    Domain& a = make_pv(1, 2);
    i64 gdt(std::vector<u64> numbers, u32 entries) {
        for (u64& n : numbers) n = mfn(a, n).raw;
        return value(set_gdt(memory(a), numbers, entries));
    }
};

TEST_F(PvDescriptorTablesTest, AGdtHoldsItsPages) {
    words(a, 5)[1] = with_privilege(user_code, 0);
    ASSERT_EQ(gdt({5, 6}, 513), 0);
    EXPECT_EQ(words(a, 5)[1], user_code);
    EXPECT_EQ(type(a, 5), FrameType::descriptors);
    EXPECT_EQ(type(a, 6), FrameType::descriptors);
    ASSERT_EQ(gdt({6, 6}, 1024), 0) << "one page may stand twice";
    EXPECT_EQ(count(a, 5), 0u);
    EXPECT_EQ(count(a, 6), 2u);
    ASSERT_EQ(gdt({}, 0), 0);
    EXPECT_EQ(count(a, 6), 0u);
    EXPECT_EQ(references(a, 6), 1u);
    EXPECT_EQ(fake().descriptor_loads, 3u);
}

TEST_F(PvDescriptorTablesTest, ABadGdtChangesNothing) {
    ASSERT_EQ(gdt({5}, 10), 0);
    words(a, 7)[511] = system(9);
    EXPECT_EQ(gdt({6, 7}, 1024), error(Errno::einval));
    EXPECT_EQ(gdt({6}, 14 * 512 + 1), error(Errno::einval));
    ASSERT_EQ(value(pin_all(a, 8, FrameType::l1)), 0);
    EXPECT_EQ(gdt({6, 8}, 1024), error(Errno::einval)) << "a page table";
    EXPECT_EQ(count(a, 5), 1u);
    EXPECT_EQ(count(a, 6), 0u);
    EXPECT_EQ(memory(a).gdt_entries, 10u);
}

TEST_F(PvDescriptorTablesTest, DescriptorsAreNeverMappedWritable) {
    write_tree(a);
    ASSERT_EQ(value(pin_all(a, 0, FrameType::l4)), 0);
    EXPECT_EQ(gdt({4}, 1), error(Errno::einval)) << "mapped writable";
    ASSERT_EQ(value(set(a, 3, 0, entry(a, 4, read_bits))), 0);
    ASSERT_EQ(gdt({4}, 1), 0);
    EXPECT_EQ(value(set(a, 3, 0, entry(a, 4, user_bits))), error(Errno::ebusy));
}

TEST_F(PvDescriptorTablesTest, DescriptorsAreUpdatedOneByOne) {
    ASSERT_EQ(gdt({5}, 512), 0);
    EXPECT_TRUE(update_descriptor(a, address(a, 5, 7), with_privilege(user_data, 1)).ok());
    EXPECT_EQ(words(a, 5)[7], user_data);
    EXPECT_FALSE(update_descriptor(a, address(a, 5, 7), system(9)).ok());
    EXPECT_FALSE(update_descriptor(a, Paddr{address(a, 5, 7).raw + 4}, user_data).ok());
    EXPECT_FALSE(update_descriptor(a, Paddr{io_frame << page_shift}, user_data).ok());
    EXPECT_TRUE(update_descriptor(a, address(a, 9, 0), user_data).ok()) << "ordinary memory that will be a table of descriptors";
    ASSERT_EQ(value(pin_all(a, 8, FrameType::l1)), 0);
    EXPECT_FALSE(update_descriptor(a, address(a, 8, 0), user_data).ok()) << "a page table";
    EXPECT_EQ(words(a, 8)[0], 0u);
    EXPECT_EQ(count(a, 5), 1u);
    EXPECT_EQ(count(a, 9), 0u);
}

TEST_F(PvDescriptorTablesTest, AnLdtIsMappedWhenItIsUsedAndForgottenWhenItMoves) {
    write_tree(a);
    words(a, 3)[5] = entry(a, 12, read_bits);
    words(a, 3)[6] = entry(a, 13, user_bits);
    ASSERT_EQ(value(set_root(memory(a), mfn(a, 0), Root::kernel)), 0);
    EXPECT_EQ(value(set_ldt(memory(a), 0x5004, 10)), error(Errno::einval));
    EXPECT_EQ(value(set_ldt(memory(a), 0x5000, 8193)), error(Errno::einval));
    EXPECT_EQ(value(set_ldt(memory(a), 0xffff'8000'0000'0000, 1)), error(Errno::einval));
    EXPECT_EQ(value(set_ldt(memory(a), 0x7fff'ffff'f000, 513)), error(Errno::einval)) << "its end isn't the guest's";
    ASSERT_TRUE(set_ldt(memory(a), 0x5000, 600).ok());
    EXPECT_EQ(count(a, 12), 0u) << "not yet";
    EXPECT_EQ(map_ldt_page(memory(a), 0).value_or(Mfn{0}), mfn(a, 12));
    EXPECT_EQ(map_ldt_page(memory(a), 0).value_or(Mfn{0}), mfn(a, 12));
    EXPECT_EQ(count(a, 12), 1u);
    EXPECT_FALSE(map_ldt_page(memory(a), 1).ok()) << "writable";
    EXPECT_FALSE(map_ldt_page(memory(a), 2).ok()) << "beyond its end";
    EXPECT_FALSE(map_ldt_page(memory(a), 99).ok());
    ASSERT_EQ(value(set(a, 3, 5, 0)), 0);
    EXPECT_EQ(count(a, 12), 0u) << "its mapping went";
    EXPECT_EQ(fake().ldt_unmaps, 1u);
    EXPECT_FALSE(map_ldt_page(memory(a), 0).ok()) << "nothing is there now";
    ASSERT_EQ(value(set(a, 3, 5, entry(a, 14, read_bits))), 0);
    EXPECT_TRUE(map_ldt_page(memory(a), 0).ok());
    ASSERT_TRUE(set_ldt(memory(a), 0, 0).ok());
    EXPECT_EQ(count(a, 14), 0u);
}

}  // namespace
}  // namespace px::pv
