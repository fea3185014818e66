// Decoder against Capstone: random bytes in the three modes. What Capstone decodes, we decode, to the same
// length and operands.
//
// The converse isn't asked: our decoder accepts reserved opcodes of the vector maps (decoder.hpp says so).
// PX_TEST_SECONDS and PX_TEST_SEED lengthen and vary the run.
//
// SPDX-License-Identifier: Apache-2.0
#include <capstone/capstone.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string_view>

#include "arch/x86/emulate/decoder.hpp"
#include "tests/unit/emulate/bytes.hpp"

namespace px::emulate {
namespace {

/// Bytes that meet the interesting cases more often than uniform ones would.
void randomize(std::mt19937_64& random, std::span<u8, 16> code) {
    static constexpr u8 prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x40, 0x48, 0x4f};
    static constexpr u8 vector_escapes[] = {0xc4, 0xc5, 0x62, 0x8f};
    for (u8& byte : code) byte = static_cast<u8>(random());
    usize at = 0;
    for (u64 n = random() % 4; n > 0; --n) code[at++] = prefixes[random() % std::size(prefixes)];
    switch (random() % 8) {
    case 0:
    case 1:
    case 2: code[at] = 0x0f; break;
    case 3:
        code[at] = 0x0f;
        code[at + 1] = random() & 1 ? 0x38 : 0x3a;
        break;
    case 4:
        code[at] = vector_escapes[random() % 4];
        if (code[at] != 0xc5) code[at + 1] = (code[at + 1] & 0xe0) | (code[at] == 0x8f ? 8 : 1 + random() % 3);
        break;
    }
}

struct Sample {
    std::span<const u8> code;
    const cs_insn& theirs;
    const Result<Instruction, DecodeError>& ours;

    std::string_view mnemonic() const { return theirs.mnemonic; }
    bool mnemonic_has(std::string_view text) const { return mnemonic().find(text) != std::string_view::npos; }
    /// The bytes before the opcode.
    std::span<const u8> prefixes() const {
        static constexpr u8 legacy[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
        const bool rex_exists = !ours.ok() || ours->mode == Mode::bits64;
        const auto is_prefix = [&](u8 byte) {
            return (rex_exists && (byte & 0xf0) == 0x40) || std::ranges::find(legacy, byte) != std::end(legacy);
        };
        return code.first(std::ranges::find_if_not(code, is_prefix) - code.begin());
    }
    bool has_prefix(u8 prefix) const { return std::ranges::find(prefixes(), prefix) != prefixes().end(); }
    u8 first_opcode_byte() const { return code[prefixes().size()]; }
    bool ours_is(Map map, u8 opcode) const { return ours.ok() && ours->is(map, opcode); }
};

/// A case in which Capstone 4.0.2 is known to be wrong, or of another opinion than the processors that we
/// support.
struct Divergence {
    const char* reason;
    bool (*holds)(const Sample&);
};

const Divergence divergences[] = {
    {"UD0 and UD1 have a ModRM; Capstone stops after the opcode",
     [](const Sample& s) { return s.ours_is(Map::map_0f, 0xff) || s.ours_is(Map::map_0f, 0xb9); }},
    {"66, F2, F3, F0 or REX before VEX, EVEX, XOP is #UD; Capstone lets it pass",
     [](const Sample& s) {
         const u8 opcode = s.first_opcode_byte();
         return !s.ours.ok() && s.ours.error() == DecodeError::undefined && !s.prefixes().empty() &&
                (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62 || opcode == 0x8f);
     }},
    {"VIA PadLock isn't supported",
     [](const Sample& s) {
         return !s.ours.ok() &&
                (s.mnemonic_has("montmul") || s.mnemonic_has("xcrypt") || s.mnemonic_has("xsha") || s.mnemonic_has("xstore"));
     }},
    {"0F 78 with F2 is INSERTQ with two immediates, with 66 EXTRQ; Capstone ignores F2 if another prefix "
     "follows",
     [](const Sample& s) { return s.ours_is(Map::map_0f, 0x78); }},
    {"map XOP.A has imm32 in every mode; Capstone reads imm16 in 16-bit mode",
     [](const Sample& s) { return s.ours.ok() && s.ours->map == Map::xop_a && s.ours->mode == Mode::bits16; }},
    {"66 or REX.W with CALL, RET imm16, PUSH imm: Capstone's answer depends on the order of the prefixes",
     [](const Sample& s) {
         return s.ours.ok() && s.ours->map == Map::one_byte &&
                (s.ours->opcode == 0xe8 || s.ours->opcode == 0xc2 || s.ours->opcode == 0x68) && (s.has_prefix(0x66) || s.ours->wide);
     }},
    {"ENDBR32 and ENDBR64: Capstone gives the length without any detail",
     [](const Sample& s) { return s.ours_is(Map::map_0f, 0x1e) && s.mnemonic_has("endbr"); }},
    {"EVEX with the broadcast or rounding bit: Capstone miscounts some displacements",
     [](const Sample& s) { return s.ours.ok() && s.ours->encoding == Encoding::evex; }},
};

const Divergence* known_divergence(const Sample& sample) {
    const auto it = std::ranges::find_if(divergences, [&](const Divergence& d) { return d.holds(sample); });
    return it == std::end(divergences) ? nullptr : it;
}

Gpr gpr_of(x86_reg reg) {
    static constexpr x86_reg names[16][3] = {
        {X86_REG_AX, X86_REG_EAX, X86_REG_RAX},    {X86_REG_CX, X86_REG_ECX, X86_REG_RCX},    {X86_REG_DX, X86_REG_EDX, X86_REG_RDX},
        {X86_REG_BX, X86_REG_EBX, X86_REG_RBX},    {X86_REG_SP, X86_REG_ESP, X86_REG_RSP},    {X86_REG_BP, X86_REG_EBP, X86_REG_RBP},
        {X86_REG_SI, X86_REG_ESI, X86_REG_RSI},    {X86_REG_DI, X86_REG_EDI, X86_REG_RDI},    {X86_REG_R8W, X86_REG_R8D, X86_REG_R8},
        {X86_REG_R9W, X86_REG_R9D, X86_REG_R9},    {X86_REG_R10W, X86_REG_R10D, X86_REG_R10}, {X86_REG_R11W, X86_REG_R11D, X86_REG_R11},
        {X86_REG_R12W, X86_REG_R12D, X86_REG_R12}, {X86_REG_R13W, X86_REG_R13D, X86_REG_R13}, {X86_REG_R14W, X86_REG_R14D, X86_REG_R14},
        {X86_REG_R15W, X86_REG_R15D, X86_REG_R15}};
    for (int i = 0; i < 16; ++i) {
        if (std::ranges::find(names[i], reg) != std::end(names[i])) return Gpr(i);
    }
    return no_gpr;
}

Segment segment_of(x86_reg reg) {
    static constexpr x86_reg names[] = {X86_REG_ES, X86_REG_CS, X86_REG_SS, X86_REG_DS, X86_REG_FS, X86_REG_GS};
    return Segment(std::ranges::find(names, reg) - names);
}

u64 truncated(i64 value, unsigned size) { return size == 8 ? static_cast<u64>(value) : value & ((u64{1} << 8 * size) - 1); }

const cs_x86_op* only_operand(const cs_x86& x86, x86_op_type type) {
    const auto operands = std::span(x86.operands).first(x86.op_count);
    const auto is_type = [&](const cs_x86_op& op) { return op.type == type; };
    return std::ranges::count_if(operands, is_type) == 1 ? &*std::ranges::find_if(operands, is_type) : nullptr;
}

void expect_same_memory(const Instruction& in, const cs_x86_op& theirs) {
    const bool vector_index = theirs.mem.index >= X86_REG_XMM0 && theirs.mem.index <= X86_REG_ZMM31;
    EXPECT_EQ(Gpr(in.memory.base), gpr_of(theirs.mem.base));
    if (!vector_index) { EXPECT_EQ(Gpr(in.memory.index), gpr_of(theirs.mem.index)); }
    if (in.memory.index != no_gpr) { EXPECT_EQ(1 << in.memory.shift, theirs.mem.scale); }
    EXPECT_EQ(in.memory.rip_relative, theirs.mem.base == X86_REG_RIP || theirs.mem.base == X86_REG_EIP);
    EXPECT_EQ(truncated(in.memory.displacement, in.address_size), truncated(theirs.mem.disp, in.address_size));
    // Capstone keeps the overrides that 64-bit mode ignores.
    if (theirs.mem.segment != X86_REG_INVALID && (in.mode != Mode::bits64 || segment_of(theirs.mem.segment) >= Segment::fs)) {
        EXPECT_EQ(in.memory.segment, segment_of(theirs.mem.segment));
    }
}

/// Groups whose immediate Capstone reports otherwise than as the instruction's bytes.
bool immediate_is_plain(const Sample& s) {
    const bool relative = std::ranges::any_of(std::span(s.theirs.detail->groups).first(s.theirs.detail->groups_count),
                                              [](u8 group) { return group == X86_GRP_BRANCH_RELATIVE; });
    const bool one_byte_map = s.ours->encoding == Encoding::legacy && s.ours->map == Map::one_byte;
    return one_byte_map && !relative && s.ours->immediate_size && !s.ours->immediate2_size;
}

void expect_same_operands(const Sample& s) {
    const Instruction& in = *s.ours;
    const cs_x86& theirs = s.theirs.detail->x86;
    EXPECT_EQ(in.address_size, theirs.addr_size);
    if (in.has_modrm) { EXPECT_EQ(in.modrm, theirs.modrm); }
    if (in.has_sib) { EXPECT_EQ(in.sib, theirs.sib); }
    if (const cs_x86_op* memory = only_operand(theirs, X86_OP_MEM); memory && in.has_memory) expect_same_memory(in, *memory);
    if (const cs_x86_op* immediate = only_operand(theirs, X86_OP_IMM); immediate && immediate_is_plain(s)) {
        const unsigned size = std::min<unsigned>(immediate->size ? immediate->size : 1, in.immediate_size);
        EXPECT_EQ(truncated(static_cast<i64>(in.immediate), size), truncated(immediate->imm, size));
    }
}

struct CapstoneMode {
    cs_mode theirs;
    Mode ours;
};

class Capstone : public testing::TestWithParam<CapstoneMode> {
protected:
    void SetUp() override {
        ASSERT_EQ(cs_open(CS_ARCH_X86, GetParam().theirs, &handle_), CS_ERR_OK);
        cs_option(handle_, CS_OPT_DETAIL, CS_OPT_ON);
        instruction_ = cs_malloc(handle_);
    }
    void TearDown() override {
        cs_free(instruction_, 1);
        cs_close(&handle_);
    }
    bool disassemble(std::span<const u8> code) {
        const u8* at = code.data();
        usize size = std::min<usize>(code.size(), max_instruction_length);
        u64 address = 0;
        return cs_disasm_iter(handle_, &at, &size, &address, instruction_);
    }

    csh handle_{};
    cs_insn* instruction_{};
};

TEST_P(Capstone, AgreesOnRandomBytes) {
    std::mt19937_64 random(test::Budget::seed());
    const test::Budget budget(1.7);
    u64 compared = 0, diverged = 0;
    std::array<u8, 16> code{};
    // Over a million in the three modes together, however slow the machine.
    constexpr u64 least = 400'000;
    while ((budget.left() || compared < least) && !HasFailure()) {
        for (int i = 0; i < 1000 && !HasFailure(); ++i) {
            randomize(random, code);
            if (!disassemble(code)) continue;
            const auto in = decode(code, GetParam().ours);
            const Sample sample{code, *instruction_, in};
            if (known_divergence(sample)) {
                ++diverged;
                continue;
            }
            ++compared;
            EXPECT_TRUE(in.ok()) << static_cast<int>(in.error());
            if (in.ok()) { EXPECT_EQ(in->length, instruction_->size); }
            if (in.ok()) expect_same_operands(sample);
            if (HasFailure()) ADD_FAILURE() << test::hex(code) << ": " << instruction_->mnemonic << " " << instruction_->op_str;
        }
    }
    EXPECT_LT(diverged, compared / 50);
    std::printf("%lu compared, %lu known divergences\n", compared, diverged);
}

INSTANTIATE_TEST_SUITE_P(Modes, Capstone,
                         testing::Values(CapstoneMode{CS_MODE_16, Mode::bits16}, CapstoneMode{CS_MODE_32, Mode::bits32},
                                         CapstoneMode{CS_MODE_64, Mode::bits64}));

}  // namespace
}  // namespace px::emulate
