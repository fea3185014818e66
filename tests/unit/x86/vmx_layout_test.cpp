// VMCS fields, MSR bitmap, segment registers; tags of a TLB.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <memory>
#include <set>

#include "arch/x86/hvm/tlb_tags.hpp"
#include "arch/x86/vmx/segments.hpp"
#include "arch/x86/vmx/vcpu_vmx.hpp"

namespace px::vmx {
namespace {

// [intel/sdm3 25.11.2]: bits 13 and 14 tell the width: 0 16 bits, 1 64, 2 32, 3 natural; bits 10 and 11 the kind:
// 0 control, 1 read-only, 2 guest, 3 host; bit 0 is the upper half of a 64-bit field.
template <class Field>
void expect_shape(u32 width, u32 kind, std::initializer_list<Field> fields) {
    for (const Field field : fields) {
        const u32 encoding = static_cast<u32>(field);
        EXPECT_EQ(encoding >> 13, width) << std::hex << encoding;
        EXPECT_EQ(encoding >> 10 & 3, kind) << std::hex << encoding;
        EXPECT_EQ(encoding & 1, 0u);
    }
}

TEST(VmcsFields, AreOfTheWidthAndKindThatTheirEncodingTells) {
    using F16 = Field16;
    using F32 = Field32;
    using F64 = Field64;
    using N = FieldNatural;
    expect_shape(0, 0, {F16::vpid, F16::posted_interrupt_vector});
    expect_shape(0, 2, {F16::guest_es, F16::guest_cs, F16::guest_tr, F16::guest_interrupt_status});
    expect_shape(0, 3, {F16::host_es, F16::host_cs, F16::host_ss, F16::host_ds, F16::host_fs, F16::host_gs, F16::host_tr});
    expect_shape(1, 0,
                 {F64::io_bitmap_a, F64::io_bitmap_b, F64::msr_bitmap, F64::tsc_offset, F64::virtual_apic, F64::apic_access,
                  F64::posted_interrupt_descriptor, F64::ept_pointer, F64::eoi_exit_0, F64::eoi_exit_3});
    expect_shape(1, 1, {F64::guest_physical_address});
    expect_shape(1, 2,
                 {F64::link_pointer, F64::guest_debug_control, F64::guest_pat, F64::guest_efer, F64::guest_pdpte_0, F64::guest_pdpte_3});
    expect_shape(1, 3, {F64::host_pat, F64::host_efer});
    expect_shape(
        2, 0,
        {F32::pin_controls, F32::primary_controls, F32::exception_bitmap, F32::exit_controls, F32::entry_controls, F32::entry_interruption,
         F32::entry_error_code, F32::entry_instruction_length, F32::tpr_threshold, F32::secondary_controls});
    expect_shape(2, 1,
                 {F32::instruction_error, F32::exit_reason, F32::exit_interruption, F32::exit_error_code, F32::idt_vectoring,
                  F32::idt_vectoring_error_code, F32::exit_instruction_length});
    expect_shape(2, 2,
                 {F32::guest_es_limit, F32::guest_idtr_limit, F32::guest_es_rights, F32::guest_tr_rights, F32::guest_interruptibility,
                  F32::guest_activity, F32::guest_sysenter_cs});
    expect_shape(2, 3, {F32::host_sysenter_cs});
    expect_shape(3, 0, {N::cr0_mask, N::cr4_mask, N::cr0_shadow, N::cr4_shadow});
    expect_shape(3, 1, {N::exit_qualification, N::guest_linear_address});
    expect_shape(3, 2,
                 {N::guest_cr0, N::guest_cr3, N::guest_cr4, N::guest_es_base, N::guest_idtr_base, N::guest_dr7, N::guest_rsp, N::guest_rip,
                  N::guest_rflags, N::guest_pending_debug, N::guest_sysenter_esp, N::guest_sysenter_eip});
    expect_shape(3, 3,
                 {N::host_cr0, N::host_cr3, N::host_cr4, N::host_tr_base, N::host_gdtr_base, N::host_idtr_base, N::host_rsp, N::host_rip});
}

TEST(VmcsFields, OfSegmentsAreDistinctAndInOrder) {
    std::set<u32> seen;
    for (u32 i = 0; i < 8; ++i) {
        const auto which = hvm::Segment(i);
        for (const u32 field : {static_cast<u32>(selector_of(which)), static_cast<u32>(limit_of(which)), static_cast<u32>(rights_of(which)),
                                static_cast<u32>(base_of(which))}) {
            EXPECT_TRUE(seen.insert(field).second);
        }
    }
    EXPECT_EQ(rights_of(hvm::Segment::ss), Field32::guest_ss_rights);
    EXPECT_EQ(base_of(hvm::Segment::gs), FieldNatural::guest_gs_base);
}

TEST(VmxMsrBitmap, BitsLieWhereTheHardwareLooks) {
    EXPECT_EQ(MsrBitmap::bit_of(0), 0);
    EXPECT_EQ(MsrBitmap::bit_of(0x1fff), 0x1fff);
    EXPECT_EQ(MsrBitmap::bit_of(0xc0000000), 1024 * 8);
    EXPECT_EQ(MsrBitmap::bit_of(0xc0001fff), 2048 * 8 - 1);
    for (const u32 index : {0x2000u, 0x40000000u, 0xc0002000u, 0xc0010015u, ~0u})
        EXPECT_EQ(MsrBitmap::bit_of(index), -1) << std::hex << index;
}
TEST(VmxMsrBitmap, SetChangesOnlyTheTwoBits) {
    for (const u32 index : {0u, 0x174u, 0x1fffu, 0xc0000081u, 0xc0000102u, 0x40000000u}) {
        for (const bool read : {false, true}) {
            for (const bool write : {false, true}) {
                const auto map = std::make_unique<MsrBitmap>();
                map->bits.fill(0xff);
                map->set(index, read, write);
                usize clear = 0;
                for (const u8 byte : map->bits) clear += static_cast<usize>(8 - std::popcount(byte));
                const i32 bit = MsrBitmap::bit_of(index);
                EXPECT_EQ(clear, bit < 0 ? 0u : usize{!read} + usize{!write});
                if (bit < 0) continue;
                const auto at = [&](i32 number) { return (map->bits[static_cast<usize>(number) / 8] >> (number % 8) & 1) != 0; };
                EXPECT_EQ(at(bit), read);
                EXPECT_EQ(at(bit + MsrBitmap::writes), write);
            }
        }
    }
}

TEST(VmxSegments, RightsAndAttributesAreTheSameBitsElsewhere) {
    EXPECT_EQ(to_rights(0x0c9b), 0xc09bu);
    EXPECT_EQ(to_rights(0x0a9b), 0xa09bu);
    EXPECT_EQ(to_rights(0x008b), 0x8bu);
    for (const u16 attributes : {0xc9b, 0xa9b, 0xc93, 0x8b, 0x82, 0xcf3, 0x9f}) EXPECT_EQ(to_attributes(to_rights(attributes)), attributes);
    EXPECT_NE(to_rights(0) & unusable, 0u);
    EXPECT_EQ(to_attributes(to_rights(0x60)) >> 5 & 3, 3) << "SS keeps the privilege level where it can't be used";
    EXPECT_EQ(to_attributes(unusable | 0xf3) & hvm::SegmentRegister::present, 0);
}

TEST(VmxSegments, AreMadeFitForAnEntry) {
    using Register = hvm::SegmentRegister;
    EXPECT_EQ(normalised(Register{.attributes = 0x09b, .limit = ~0u}).attributes, 0x89b) << "4 GiB need granularity";
    EXPECT_EQ(normalised(Register{.attributes = 0xc93, .limit = 0x67}).attributes, 0x493);
    EXPECT_EQ(normalised(Register{.attributes = 0xc93, .limit = 0xfffff000}).limit, ~0u);
    EXPECT_EQ(normalised(Register{.attributes = 0x892, .limit = 0xfffff}).attributes, 0x893) << "either granularity; accessed";
    EXPECT_EQ(normalised(Register{.attributes = 0x08b, .limit = 0x67}).attributes, 0x08b);
    EXPECT_EQ(normalised(Register{.attributes = 0x800, .limit = 1}).attributes, 0x800) << "not used";
    // Whatever comes, an entry's rules hold.
    for (u32 attributes = 0; attributes < 0x1000; attributes += 7) {
        for (const u32 limit : {0u, 0xfffu, 0xffffu, 0xfffffu, 0x100000u, 0x1fffffu, 0x12345678u, ~0u}) {
            const Register value = normalised(Register{.attributes = static_cast<u16>(attributes), .limit = limit});
            if ((value.attributes & Register::present) == 0) continue;
            const bool granular = (value.attributes & Register::granular) != 0;
            EXPECT_FALSE(granular && (value.limit & 0xfff) != 0xfff);
            EXPECT_FALSE(!granular && value.limit >> 20 != 0);
        }
    }
}

TEST(TlbTags, AreUsedUpAndBeginAgain) {
    hvm::TlbTags tags;
    tags.begin(4);
    EXPECT_FALSE(tags.holds({}));
    const auto first = tags.give();
    EXPECT_TRUE(first.anew) << "what was in the TLB before us";
    EXPECT_EQ(first.tag.number, 1u);
    const auto second = tags.give(), third = tags.give();
    EXPECT_FALSE(second.anew || third.anew);
    EXPECT_EQ(third.tag.number, 3u);
    EXPECT_TRUE(tags.holds(first.tag) && tags.holds(third.tag));
    const auto fourth = tags.give();
    EXPECT_TRUE(fourth.anew);
    EXPECT_EQ(fourth.tag.number, 1u) << "0 is the hypervisor's";
    EXPECT_FALSE(tags.holds(first.tag) || tags.holds(second.tag));
    EXPECT_TRUE(tags.holds(fourth.tag));
}

}  // namespace
}  // namespace px::vmx
