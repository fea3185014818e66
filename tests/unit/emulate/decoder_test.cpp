// Decoder: lengths and fields of chosen instructions, and each of its errors.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/decoder.hpp"

#include <gtest/gtest.h>

#include "tests/unit/emulate/bytes.hpp"

namespace px::emulate {
namespace {

using test::bytes;

struct LengthCase {
    const char* text;
    const char* code;
    unsigned length16, length32, length64;  // 0: undefined in this mode
};

// clang-format off
// What a hypervisor must be able to skip without NRIP save, with and without idle prefixes; and the odd ones.
const LengthCase lengths[] = {
    {"vmmcall", "0f 01 d9", 3, 3, 3},
    {"vmcall", "0f 01 c1", 3, 3, 3},
    {"cpuid", "0f a2", 2, 2, 2},
    {"rep cpuid", "f3 0f a2", 3, 3, 3},
    {"data16 rex.w cpuid (inc/dec in 32-bit)", "66 48 0f a2", 2, 2, 4},
    {"rdmsr", "0f 32", 2, 2, 2},
    {"wrmsr", "0f 30", 2, 2, 2},
    {"rdtsc", "0f 31", 2, 2, 2},
    {"rdtscp", "0f 01 f9", 3, 3, 3},
    {"hlt", "f4", 1, 1, 1},
    {"pause", "f3 90", 2, 2, 2},
    {"invlpg", "0f 01 38", 3, 3, 3},
    {"invlpg disp", "0f 01 7d 10", 4, 4, 4},
    {"in al, imm8", "e4 71", 2, 2, 2},
    {"out dx, eax", "66 ef", 2, 2, 2},
    {"rep outsb gs", "65 f3 67 6e", 4, 4, 4},
    {"xsetbv", "0f 01 d1", 3, 3, 3},
    {"wbinvd", "0f 09", 2, 2, 2},
    {"mov cr0, rax", "0f 22 c0", 3, 3, 3},
    {"mov cr0 with mod 0 and rm 5 names registers", "0f 22 05", 3, 3, 3},
    {"mov dr7, rax", "0f 23 f8", 3, 3, 3},
    {"clts", "0f 06", 2, 2, 2},
    {"lmsw", "0f 01 f0", 3, 3, 3},
    {"iret", "cf", 1, 1, 1},
    {"int 0x80", "cd 80", 2, 2, 2},
    {"icebp", "f1", 1, 1, 1},
    {"monitor", "0f 01 c8", 3, 3, 3},
    {"mwait", "0f 01 c9", 3, 3, 3},
    {"skinit", "0f 01 de", 3, 3, 3},
    {"vmload", "0f 01 da", 3, 3, 3},
    {"mov reg, imm", "b8 01 02 03 04 05 06 07 08", 3, 5, 5},
    {"mov reg, imm64", "48 b8 01 02 03 04 05 06 07 08", 1, 1, 10},
    {"mov al, moffs", "a0 01 02 03 04 05 06 07 08", 3, 5, 9},
    {"mov al, moffs with 67", "67 a0 01 02 03 04 05 06 07 08", 6, 4, 6},
    {"enter", "c8 01 02 03", 4, 4, 4},
    {"far call", "9a 01 02 03 04 05 06", 5, 7, 0},
    {"far jump with 66", "66 ea 01 02 03 04 05 06", 8, 6, 0},
    {"push es", "06", 1, 1, 0},
    {"aam", "d4 0a", 2, 2, 0},
    {"salc", "d6", 1, 1, 0},
    {"test r/m8, imm8", "f6 00 01", 3, 3, 3},
    {"not r/m8", "f6 10", 2, 2, 2},
    {"test r/m, imm", "f7 00 01 02 03 04", 4, 6, 6},
    {"neg r/m", "f7 18", 2, 2, 2},
    {"jcc near", "0f 84 01 02 03 04", 4, 6, 6},
    {"les or vex", "c4 00 00 00 00", 2, 2, 0},
    {"vmovdqu ymm0, [bx+di/ecx/rcx]", "c5 fe 6f 01", 4, 4, 4},
    {"bound or evex", "62 00", 2, 2, 0},
    {"vmovdqu32 zmm1, [..]", "62 f1 7e 48 6f 09", 6, 6, 6},
    {"pop r/m", "8f 00", 2, 2, 2},
    {"xop vprotb", "8f e8 78 c0 c1 03", 6, 6, 6},
    {"3dnow pfadd", "0f 0f c1 9e", 4, 4, 4},
    {"extrq imm", "66 0f 78 c0 01 02", 6, 6, 6},
    {"vmread", "0f 78 c0", 3, 3, 3},
    {"crc32", "f2 0f 38 f0 c1", 5, 5, 5},
    {"palignr", "66 0f 3a 0f c1 08", 6, 6, 6},
    {"modrm disp16 / disp32 / rip", "8b 06 05 00 00 00", 4, 2, 2},
    {"modrm rm 5", "8b 05 01 02 03 04", 2, 6, 6},
    {"sib without base", "8b 04 25 01 02 03 04", 2, 7, 7},
};
// clang-format on

TEST(Decoder, LengthsInEveryMode) {
    for (const LengthCase& c : lengths) {
        // Enough following bytes that a length which is too long by some bytes isn't hidden by "need more
        // bytes".
        std::vector<u8> code = bytes(c.code);
        code.resize(24, 0x90);
        const unsigned expected[] = {c.length16, c.length32, c.length64};
        for (int mode = 0; mode < 3; ++mode) {
            const auto in = decode(code, Mode(mode));
            EXPECT_EQ(in.ok() ? in->length : 0, expected[mode]) << c.text << " in mode " << mode;
            if (!in.ok()) { EXPECT_EQ(in.error(), DecodeError::undefined) << c.text; }
        }
    }
}

TEST(Decoder, EveryProperBeginningNeedsMoreBytes) {
    for (const LengthCase& c : lengths) {
        std::vector<u8> code = bytes(c.code);
        code.resize(24, 0x90);
        for (Mode mode : {Mode::bits16, Mode::bits32, Mode::bits64}) {
            const auto whole = decode(code, mode);
            if (!whole.ok()) continue;
            for (unsigned part = 0; part < whole->length; ++part) {
                const auto in = decode(std::span(code).first(part), mode);
                ASSERT_FALSE(in.ok()) << c.text << " of " << part;
                EXPECT_EQ(in.error(), DecodeError::need_more_bytes) << c.text << " of " << part;
            }
            EXPECT_TRUE(decode(std::span(code).first(whole->length), mode).ok()) << c.text;
        }
    }
}

TEST(Decoder, FifteenBytesAreTheLimit) {
    std::vector<u8> code(13, 0x66);
    code.insert(code.end(), {0x0f, 0xa2});
    EXPECT_EQ(decode(code, Mode::bits32)->length, 15);
    code.insert(code.begin(), 0x66);
    EXPECT_EQ(decode(code, Mode::bits32).error(), DecodeError::too_long);
    EXPECT_EQ(decode(std::vector<u8>(15, 0xf3), Mode::bits64).error(), DecodeError::too_long);
    EXPECT_EQ(decode(std::vector<u8>(14, 0xf3), Mode::bits64).error(), DecodeError::need_more_bytes);
}

TEST(Decoder, UndefinedOpcodes) {
    for (const char* code : {"0f 04", "0f 0a", "0f 24 c0", "0f 3b", "0f a6 c0", "f2 c5 f8 77", "48 c5 f8 77", "66 c4 e1 78 77",
                             "f0 62 f1 7e 48 6f 09", "62 f9 7e 48 6f 09", "c4 e0 78 77"}) {
        EXPECT_EQ(decode(bytes(code), Mode::bits64).error(), DecodeError::undefined) << code;
    }
}

Instruction decoded(const char* code, Mode mode = Mode::bits64) {
    const auto in = decode(bytes(code), mode);
    EXPECT_TRUE(in.ok()) << code;
    return in.value_or(Instruction{});
}

TEST(Decoder, PrefixesAndRex) {
    const Instruction in = decoded("f0 64 67 66 4f 01 4c 7c 80");  // lock add fs:[r12d + r15d*2 - 128], r9
    EXPECT_TRUE(in.lock && in.operand_size_prefix && in.rex_present && in.wide && in.has_sib && in.has_memory);
    EXPECT_EQ(in.operand_size, 8);
    EXPECT_EQ(in.address_size, 4);
    EXPECT_EQ(in.reg, r9);
    EXPECT_EQ(in.memory.base, r12);
    EXPECT_EQ(in.memory.index, r15);
    EXPECT_EQ(in.memory.shift, 1);
    EXPECT_EQ(in.memory.displacement, -128);
    EXPECT_EQ(in.memory.segment, Segment::fs);
}

TEST(Decoder, RexBeforeALegacyPrefixIsIgnored) {
    const Instruction in = decoded("48 66 8b 00");
    EXPECT_FALSE(in.rex_present || in.wide);
    EXPECT_EQ(in.operand_size, 2);
}

TEST(Decoder, LastOfRepeatPrefixesWins) {
    EXPECT_EQ(decoded("f2 f3 a4").repeat, Repeat::equal);
    EXPECT_EQ(decoded("f3 f2 a4").repeat, Repeat::not_equal);
}

TEST(Decoder, SegmentsBeforeFsAreIgnoredIn64BitMode) {
    EXPECT_EQ(decoded("2e 8b 00").memory.segment, Segment::ds);
    EXPECT_EQ(decoded("64 2e 8b 00").memory.segment, Segment::fs);
    EXPECT_EQ(decoded("64 2e 8b 00", Mode::bits32).memory.segment, Segment::cs);
    EXPECT_EQ(decoded("36 8b 00", Mode::bits32).memory.segment, Segment::ss);
}

TEST(Decoder, StackBasesUseTheStackSegment) {
    EXPECT_EQ(decoded("8b 45 00", Mode::bits32).memory.segment, Segment::ss);
    EXPECT_EQ(decoded("8b 04 24", Mode::bits32).memory.segment, Segment::ss);
    EXPECT_EQ(decoded("8b 04 2b", Mode::bits32).memory.segment, Segment::ds);  // [ebx + ebp]
    EXPECT_EQ(decoded("8b 02", Mode::bits16).memory.segment, Segment::ss);     // [bp + si]
    EXPECT_EQ(decoded("8b 06 00 00", Mode::bits16).memory.segment, Segment::ds);
    EXPECT_EQ(decoded("41 8b 45 00").memory.segment, Segment::ds);  // [r13]
}

TEST(Decoder, RipRelativeIsOfTheFormWithoutSib) {
    EXPECT_TRUE(decoded("8b 05 00 00 00 00").memory.rip_relative);
    EXPECT_FALSE(decoded("8b 04 25 00 00 00 00").memory.rip_relative);
    EXPECT_FALSE(decoded("8b 05 00 00 00 00", Mode::bits32).memory.rip_relative);
    EXPECT_EQ(decoded("8b 05 fc ff ff ff").memory.displacement, -4);
}

TEST(Decoder, StackAndBranchOperandsAreWideByDefault) {
    EXPECT_EQ(decoded("ff 30").operand_size, 8);
    EXPECT_EQ(decoded("66 ff 30").operand_size, 2);
    EXPECT_EQ(decoded("8f 00").operand_size, 8);
    EXPECT_EQ(decoded("ff 00").operand_size, 4);
    EXPECT_EQ(decoded("ff 28").operand_size, 4);  // far jump
    EXPECT_EQ(decoded("ff 30", Mode::bits32).operand_size, 4);
}

TEST(Decoder, ImmediatesAreSignExtended) {
    EXPECT_EQ(decoded("48 81 00 ff ff ff ff").immediate, ~u64{0});
    EXPECT_EQ(decoded("83 00 80").immediate, ~u64{0x7f});
    EXPECT_EQ(decoded("c8 01 80 ff").immediate2, 0xffu);
    const Instruction far = decoded("9a 01 02 03 04 fe ff", Mode::bits32);
    EXPECT_EQ(far.immediate, 0x04030201u);
    EXPECT_EQ(far.immediate2, 0xfffeu);
}

TEST(Decoder, VexFields) {
    const Instruction in = decoded("c4 41 1e 10 04 24");  // vmovss
    EXPECT_EQ(in.encoding, Encoding::vex);
    EXPECT_EQ(in.map, Map::map_0f);
    EXPECT_EQ(in.reg, 8);
    EXPECT_EQ(in.memory.base, r12);
    EXPECT_EQ(in.vvvv, 12);
    EXPECT_EQ(in.repeat, Repeat::equal);
    EXPECT_EQ(in.vector_length, 1);
}

}  // namespace
}  // namespace px::emulate
