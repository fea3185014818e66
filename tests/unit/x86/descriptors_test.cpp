// Descriptors and tables of the CPU, bit by bit.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstddef>

#include "arch/x86/cpu/descriptors.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"

namespace px::arch {
namespace {

/// In the reserved page.
constexpr unsigned index(u16 at) { return (at - selector::first) / 8; }

TEST(Descriptors, TheTaskStateSegmentIsFoundAgain) {
    Gdt gdt;
    constexpr u64 base = 0xffff'82d0'1234'5678;
    gdt.set_tss(base, 0x67);
    const u64 low = gdt.entry[index(selector::tss)], high = gdt.entry[index(selector::tss) + 1];
    EXPECT_EQ((low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32, base);
    EXPECT_EQ((low & 0xffff) | (low >> 48 & 15) << 16, 0x67u);
    EXPECT_EQ(low >> 40 & 0xff, 0x89u) << "present, available 64-bit TSS";
    EXPECT_EQ(high >> 32, 0u);
}

TEST(Descriptors, CodeIsLongModeAndDataWritable) {
    const Gdt gdt;
    const u64 code = gdt.entry[index(selector::code)], data = gdt.entry[index(selector::data)];
    EXPECT_EQ(code >> 53 & 3, 1u) << "L set, D clear";
    EXPECT_EQ(code >> 40 & 0x9a, 0x9au);
    EXPECT_EQ(data >> 40 & 0x9e, 0x92u);
    EXPECT_EQ(gdt.entry[0], 0u);
}

TEST(Descriptors, PvGuestsHaveFlatSegmentsOfRing3WhereTheAbiSaysSo) {
    const Gdt gdt;
    EXPECT_EQ(selector::user_code, abi::x86::flat_ring3::cs64);
    EXPECT_EQ(selector::user_code32, abi::x86::flat_ring3::cs32);
    EXPECT_EQ(selector::user_data, abi::x86::flat_ring3::ss64);
    EXPECT_EQ(selector::first, abi::x86::first_reserved_gdt_byte);
    for (const u16 user : {selector::user_code, selector::user_code32, selector::user_data}) {
        EXPECT_EQ(gdt.entry[index(user)] >> 45 & 3, 3u) << "privilege";
        EXPECT_EQ(gdt.entry[index(user)] >> 40 & 1, 1u) << "accessed: never written by the processor";
    }
    // SYSRET adds 16 and 8 to what STAR says, SYSCALL 8. [intel/sdm2 SYSRET]
    EXPECT_EQ(selector::user_code, selector::user_code32 + 16);
    EXPECT_EQ(selector::user_data, selector::user_code32 + 8);
    EXPECT_EQ(selector::data, selector::code + 8);
}

TEST(Descriptors, ALocalTableIsFoundAgain) {
    Gdt gdt;
    constexpr u64 base = 0xffff'8101'4001'0000;
    gdt.set_ldt(base, 0xfff);
    const u64 low = gdt.entry[index(selector::ldt)], high = gdt.entry[index(selector::ldt) + 1];
    EXPECT_EQ((low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32, base);
    EXPECT_EQ(low & 0xffff, 0xfffu);
    EXPECT_EQ(low >> 40 & 0xff, 0x82u) << "present LDT";
}

TEST(Descriptors, GatesNameHandlerStackAndType) {
    constexpr u64 handler = 0xffff'82d0'89ab'cdef;
    const IdtEntry gate = IdtEntry::interrupt_gate(handler, Ist::machine_check);
    EXPECT_EQ((gate.low & 0xffff) | (gate.low >> 48) << 16 | gate.high << 32, handler);
    EXPECT_EQ(gate.low >> 16 & 0xffff, selector::code);
    EXPECT_EQ(gate.low >> 32 & 7, 3u);
    EXPECT_EQ(gate.low >> 40 & 0xff, 0x8eu) << "present, ring 0, interrupts off";
    EXPECT_EQ(IdtEntry::interrupt_gate(handler, Ist::none, 3).low >> 40 & 0xff, 0xeeu) << "ring 3";
}

TEST(Descriptors, TheHardwaresOffsets) {
    EXPECT_EQ(offsetof(Tss, rsp0), 4u);
    EXPECT_EQ(offsetof(Tss, ist), 36u);
    EXPECT_EQ(offsetof(Tss, io_bitmap), 102u);
    EXPECT_EQ(sizeof(TablePointer), 10u);
    EXPECT_EQ(sizeof(IdtEntry), 16u);
}

}  // namespace
}  // namespace px::arch
