// Descriptors and tables of the CPU, bit by bit.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstddef>

#include "arch/x86/cpu/descriptors.hpp"

namespace px::arch {
namespace {

TEST(Descriptors, TheTaskStateSegmentIsFoundAgain) {
    Gdt gdt;
    constexpr u64 base = 0xffff'82d0'1234'5678;
    gdt.set_tss(base, 0x67);
    const u64 low = gdt.entry[selector::tss / 8], high = gdt.entry[selector::tss / 8 + 1];
    EXPECT_EQ((low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32, base);
    EXPECT_EQ((low & 0xffff) | (low >> 48 & 15) << 16, 0x67u);
    EXPECT_EQ(low >> 40 & 0xff, 0x89u) << "present, available 64-bit TSS";
    EXPECT_EQ(high >> 32, 0u);
}

TEST(Descriptors, CodeIsLongModeAndDataWritable) {
    const Gdt gdt;
    const u64 code = gdt.entry[selector::code / 8], data = gdt.entry[selector::data / 8];
    EXPECT_EQ(code >> 53 & 3, 1u) << "L set, D clear";
    EXPECT_EQ(code >> 40 & 0x9a, 0x9au);
    EXPECT_EQ(data >> 40 & 0x9e, 0x92u);
    EXPECT_EQ(gdt.entry[0], 0u);
}

TEST(Descriptors, GatesNameHandlerStackAndType) {
    constexpr u64 handler = 0xffff'82d0'89ab'cdef;
    const IdtEntry gate = IdtEntry::interrupt_gate(handler, Ist::machine_check);
    EXPECT_EQ((gate.low & 0xffff) | (gate.low >> 48) << 16 | gate.high << 32, handler);
    EXPECT_EQ(gate.low >> 16 & 0xffff, selector::code);
    EXPECT_EQ(gate.low >> 32 & 7, 3u);
    EXPECT_EQ(gate.low >> 40 & 0xff, 0x8eu) << "present, ring 0, interrupts off";
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
