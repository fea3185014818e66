// Emulator against this machine's processor: random instructions of the subset on random operands, in 64-bit
// and 32-bit user mode. Registers, flags, memory and faults (vector, error code, CR2) must be the same.
//
// PX_TEST_SECONDS and PX_TEST_SEED lengthen and vary the run.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <set>

#include "arch/x86/emulate/decoder.hpp"
#include "arch/x86/emulate/emulator.hpp"
#include "tests/unit/emulate/bytes.hpp"
#include "tests/unit/emulate/real_cpu.hpp"

namespace px::emulate {
namespace {

using test::CpuResult;
using test::CpuState;
using test::RealCpu;

/// The window's memory as a copy; what lies around it isn't mapped.
class WindowAccess final : public Access {
public:
    WindowAccess(const RealCpu& cpu, std::vector<u8>& memory, const CpuState& state) : cpu_(cpu), memory_(memory), xmm_(state.xmm) {}

    const auto& xmm() const { return xmm_; }

    /// An access outside the guards: the instruction can't be let loose on the real processor.
    bool strayed() const { return strayed_; }

    Step<> read(u64 linear, std::span<u8> into, Intent intent) override {
        std::ranges::copy(TRY(at(linear, into.size(), intent != Intent::read)), into.begin());
        return {};
    }
    Step<> write(u64 linear, std::span<const u8> from) override {
        std::ranges::copy(from, TRY(at(linear, from.size(), true)).begin());
        return {};
    }
    Step<bool> compare_exchange(u64 linear, std::span<const u8> expected, std::span<const u8> replacement) override {
        const auto bytes = TRY(at(linear, expected.size(), true));
        if (!std::ranges::equal(bytes, expected)) return false;
        std::ranges::copy(replacement, bytes.begin());
        return true;
    }
    Step<> probe_write(u64 linear, usize size) override {
        TRY(at(linear, size, true));
        return {};
    }
    Step<> fetch(u64, std::span<u8>) override { return Err{Outcome::unhandled()}; }
    Step<> read_vector(unsigned index, std::span<u8> into) override {
        if (into.size() > 16) return Err{Outcome::unhandled()};
        std::ranges::copy(xmm_[index], into.begin());
        return {};
    }
    Step<> write_vector(unsigned index, std::span<const u8> from, bool) override {
        if (from.size() > 16) return Err{Outcome::unhandled()};
        std::ranges::copy(from, xmm_[index].begin());
        return {};
    }
    Step<u32> port_in(u16, unsigned) override { return Err{Outcome::unhandled()}; }
    Step<> port_out(u16, unsigned, u32) override { return Err{Outcome::unhandled()}; }

private:
    Step<std::span<u8>> at(u64 linear, usize size, bool write) {
        const u64 base = reinterpret_cast<u64>(cpu_.window().data());
        if (!cpu_.is_ours(linear, size)) {
            strayed_ = true;
            return Err{Outcome::unhandled()};
        }
        const u64 end = base + memory_.size();
        if (linear >= base && linear + size <= end) return std::span(memory_).subspan(linear - base, size);
        constexpr u32 user = 4, writing = 2;
        const u64 first_missing = linear >= base && linear < end ? end : linear;
        return Err{Outcome::exception(page_fault, user | (write ? writing : 0), first_missing)};
    }

    const RealCpu& cpu_;
    std::vector<u8>& memory_;
    std::array<std::array<u8, 16>, 16> xmm_;
    bool strayed_ = false;
};

u16 selector(Segment segment) {
    u16 value = 0;
    switch (segment) {
    case Segment::ss: asm("mov %%ss, %0" : "=r"(value)); break;
    case Segment::fs: asm("mov %%fs, %0" : "=r"(value)); break;
    case Segment::gs: asm("mov %%gs, %0" : "=r"(value)); break;
    default: break;  // set by the trampoline
    }
    return value;
}

Registers user_registers(const RealCpu& cpu, const CpuState& state, Mode mode) {
    Registers registers;
    registers.gpr = state.gpr;
    registers.rip = cpu.code_address();
    registers.rflags = state.rflags;
    for (unsigned i = 0; i < segment_count; ++i) {
        registers.segment[i] = {.selector = selector(Segment(i)), .attributes = 0xcf3, .limit = ~0u, .base = 0};
    }
    registers[Segment::cs].attributes = mode == Mode::bits64 ? 0xafb : 0xcfb;
    registers[Segment::cs].selector = mode == Mode::bits64 ? 0x33 : 0x23;
    registers[Segment::ds].selector = registers[Segment::es].selector = 0x2b;
    static const u64 fs_base = RealCpu::fs_base(), gs_base = RealCpu::gs_base();
    registers[Segment::fs].base = fs_base;
    registers[Segment::gs].base = gs_base;
    registers.cr0 = cr0::pe | cr0::am | u64{1} << 31;
    registers.cr4 = cr4::osfxsr | (__builtin_cpu_supports("avx") ? cr4::osxsave : 0);
    registers.efer = efer::lma;
    registers.cpl = 3;
    return registers;
}

bool is_shift(const Instruction& in) {
    if (in.map == Map::one_byte) return in.opcode == 0xc0 || in.opcode == 0xc1 || (in.opcode >= 0xd0 && in.opcode <= 0xd3);
    return in.map == Map::map_0f && (in.opcode & 0xf6) == 0xa4;
}
bool is_double_shift(const Instruction& in) { return in.map == Map::map_0f && is_shift(in); }
bool is_multiplication(const Instruction& in) {
    return in.is(Map::one_byte, 0x69) || in.is(Map::one_byte, 0x6b) || in.is(Map::map_0f, 0xaf);
}

/// Flags that the manuals leave undefined, so that processors don't agree on them.
u64 undefined_flags(const Instruction& in, const CpuState& before) {
    using namespace rflags;
    const bool by_register = in.map == Map::map_0f ? in.opcode & 1 : in.opcode >= 0xd2;
    const bool by_one = in.map == Map::one_byte && (in.opcode & 0xfe) == 0xd0;
    const u64 count = by_one ? 1 : (by_register ? before.gpr[rcx] : in.immediate) & (in.operand_size == 8 ? 63 : 31);
    if (is_multiplication(in)) return sf | zf | af | pf;
    if (is_shift(in)) return af | (count > 1 ? of : 0) | (count >= 8 && in.operand_size != 8 ? cf : 0);
    if (in.map == Map::map_0f && ((in.opcode & 0xe7) == 0xa3 || in.opcode == 0xba)) return of | sf | af | pf;
    return 0;
}

/// SHLD and SHRD of 16 bits by more than 16.
bool result_is_undefined(const Instruction& in, const CpuState& before) {
    const u64 count = in.opcode & 1 ? before.gpr[rcx] : in.immediate;
    return is_double_shift(in) && in.operand_size == 2 && (count & 31) > 16;
}

class RandomInstructions : public testing::TestWithParam<Mode> {
protected:
    static Mode mode() { return GetParam(); }
    using Bytes = std::array<u8, 16>;

    u64 any() { return random_(); }
    bool one_in(unsigned n) { return any() % n == 0; }

    /// Values at which carries, signs and shifts happen come up often.
    u64 any_value() {
        switch (any() % 6) {
        case 0: return any() % 4;
        case 1: return ~u64{0} - any() % 4;
        case 2: return u64{1} << any() % 64;
        case 3: return (u64{1} << any() % 64) - 1;
        default: return any();
        }
    }

    Bytes any_instruction() {
        // clang-format off
        static constexpr u8 one_byte[] = {
            0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x10, 0x11, 0x12, 0x13,
            0x14, 0x15, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x28, 0x29,
            0x2a, 0x2b, 0x2c, 0x2d, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
            0x40, 0x45, 0x49, 0x4c, 0x50, 0x54, 0x57, 0x58, 0x5c, 0x5f, 0x63, 0x68, 0x69, 0x6a, 0x6b, 0x6c,
            0x6f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8f, 0xa0,
            0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0,
            0xb7, 0xb8, 0xbf, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2, 0xd3, 0xe4, 0xe7, 0xec, 0xef, 0xf6,
            0xf7, 0xfe, 0xff};
        static constexpr u8 map_0f[] = {
            0x10, 0x11, 0x28, 0x29, 0x2b, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a,
            0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x6e, 0x6f, 0x7e, 0x7f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96,
            0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa3, 0xa4, 0xa5, 0xab, 0xac, 0xad, 0xaf,
            0xb0, 0xb1, 0xb3, 0xb6, 0xb7, 0xba, 0xbb, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xc7, 0xd6, 0xe7, 0xf0};
        // clang-format on
        static constexpr u8 prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x3e, 0x64, 0x65};
        Bytes code;
        for (u8& byte : code) byte = static_cast<u8>(any());
        usize at = 0;
        for (u64 n = any() % 3; n > 0; --n) code[at++] = prefixes[any() % std::size(prefixes)];
        if (mode() == Mode::bits64 && one_in(2)) code[at++] = static_cast<u8>(0x40 | any() % 16);
        switch (any() % 8) {
        case 0:
        case 1:
        case 2:
            code[at++] = 0x0f;
            code[at] = map_0f[any() % std::size(map_0f)];
            break;
        case 3:
            code[at++] = 0x0f;
            code[at++] = 0x38;
            code[at] = static_cast<u8>(one_in(3) ? 0x2a : 0xf0 | any() % 2);
            break;
        case 4:
            if (one_in(2)) return vex_instruction(code);
            [[fallthrough]];
        default: code[at] = one_byte[any() % std::size(one_byte)];
        }
        return code;
    }

    /// Of map 0F, 128 bits wide, with an optional FS and a free choice of registers; vvvv sometimes wrongly
    /// used.
    Bytes vex_instruction(Bytes code) {
        static constexpr u8 opcodes[] = {0x10, 0x11, 0x28, 0x29, 0x2b, 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xe7, 0xf0};
        usize at = 0;
        if (one_in(4)) code[at++] = 0x64;
        const u8 wvvvv = one_in(8) ? static_cast<u8>(any() & 0xf8) : static_cast<u8>(0x78 | (any() & 0x80));
        code[at++] = 0xc4;
        code[at++] = static_cast<u8>((any() & 0xe0) | 1);
        code[at++] = static_cast<u8>(wvvvv | (any() & 3));
        code[at] = opcodes[any() % std::size(opcodes)];
        return code;
    }

    u64 any_address() {
        const u64 base = reinterpret_cast<u64>(cpu_.window().data());
        // Mostly inside; sometimes at an end, where the second half isn't mapped.
        const u64 offset = one_in(8) ? RealCpu::window_size - any() % 20 : any() % RealCpu::window_size;
        return base + offset;
    }

    /// A memory operand without a base gets a displacement that leads into the window, RIP-relative or
    /// absolute.
    void aim_displacement(Bytes& code, const Instruction& in) {
        if (!in.has_memory || in.memory.base != no_gpr || in.memory.index != no_gpr) return;
        const u64 value = any_address() - (in.memory.rip_relative ? cpu_.code_address() + in.length : 0);
        std::memcpy(&code[in.length - in.immediate_size - in.displacement_size], &value, in.displacement_size);
    }

    /// Registers such that the memory operands lie in the window, or are not canonical.
    CpuState any_state(const Instruction& in) {
        CpuState state;
        for (u64& value : state.gpr) value = any_value();
        for (auto& vector : state.xmm) vector.fill(static_cast<u8>(any()));
        if (in.has_modrm && one_in(4)) state.gpr[in.reg] = state.gpr[rax];
        state.gpr[rsi] = any_address();
        state.gpr[rdi] = any_address();
        state.gpr[rsp] = any_address();
        if (in.repeat != Repeat::none) state.gpr[rcx] = any() % 20;
        state.rflags = 0x202 | (any() & (rflags::arithmetic | rflags::df)) | (one_in(8) ? rflags::ac : 0);
        if (in.has_memory && in.memory.base != no_gpr) {
            const bool bit_string = in.map == Map::map_0f && (in.opcode & 0xe7) == 0xa3;
            if (bit_string && in.reg != in.memory.base) {
                state.gpr[in.reg] = any() % 2 ? any() % 4000 : -(any() % 4000);  // BT reaches beyond its operand
            }
            const Registers registers = user_registers(cpu_, state, mode());
            const u64 base = in.memory.segment >= Segment::fs ? registers[in.memory.segment].base : 0;
            u64 rest = static_cast<u64>(in.memory.displacement) + base;
            if (in.memory.index != no_gpr && in.memory.index != in.memory.base) { rest += state.gpr[in.memory.index] << in.memory.shift; }
            // The base counts twice: the address is anywhere, which WindowAccess notices unless #AC comes
            // first.
            if (in.memory.index == in.memory.base || (bit_string && in.reg == in.memory.base)) state.rflags &= ~rflags::ac;
            state.gpr[in.memory.base] = one_in(32) ? any() : (one_in(4) ? any_address() & ~u64{15} : any_address()) - rest;
        }
        if (mode() == Mode::bits32) {
            for (u64& value : state.gpr) value = static_cast<u32>(value);
        }
        return state;
    }

    /// Some new values in a memory that is the same for both sides.
    void refresh_memory() {
        for (int i = 0; i < 32; ++i) {
            const u64 value = any_value();
            std::memcpy(&memory_[any() % (memory_.size() - 8)], &value, sizeof value);
        }
        std::memcpy(cpu_.window().data(), memory_.data(), memory_.size());
    }

    /// False if the instruction drawn isn't fit for a comparison.
    bool compare_one() {
        Bytes code = any_instruction();
        if (const auto first = decode(code, mode()); first.ok()) aim_displacement(code, *first);
        const auto in = decode(code, mode());
        if (!in.ok() || (mode() == Mode::bits32 && in->segment_override >= Segment::fs && in->segment_override != Segment::none)) {
            return false;  // what FS and GS hold in 32-bit mode isn't ours to know
        }
        const CpuState before = any_state(*in);
        if (result_is_undefined(*in, before)) return false;
        refresh_memory();
        Registers registers = user_registers(cpu_, before, mode());
        WindowAccess access(cpu_, memory_, before);
        const Outcome outcome = run(registers, *in, access);
        if (access.strayed() || outcome.kind == Outcome::Kind::unhandled) return false;

        SCOPED_TRACE(test::hex(std::span(code).first(in->length)));
        const CpuResult real = cpu_.run(std::span(code).first(in->length), before, mode());
        expect_same(*in, before, outcome, registers, real);
        EXPECT_TRUE(access.xmm() == real.state.xmm) << "vector registers";
        compared_.insert(static_cast<u64>(in->map) << 8 | in->opcode);
        faults_ += real.vector >= 0;
        return true;
    }

    void expect_same(const Instruction& in, const CpuState& before, const Outcome& outcome, const Registers& ours, const CpuResult& real) {
        const bool faulted = outcome.kind == Outcome::Kind::fault;
        ASSERT_TRUE(faulted || outcome.kind == Outcome::Kind::done) << static_cast<int>(outcome.kind);
        // CMPS reads two places; where neither can be read, which fault comes first differs between processors.
        const bool compares_strings = in.map == Map::one_byte && (in.opcode | 1) == 0xa7;
        if (compares_strings && faulted && real.vector >= 0 && outcome.fault.vector != real.vector) return;
        ASSERT_EQ(faulted ? outcome.fault.vector : -1, real.vector);
        if (faulted) {
            EXPECT_EQ(outcome.fault.has_error_code ? outcome.fault.error_code : 0, real.error_code);
            if (real.vector == page_fault) { EXPECT_EQ(outcome.fault.cr2, real.cr2); }
        }
        EXPECT_EQ(ours.rip, cpu_.code_address() + (faulted ? 0 : in.length));
        for (int i = 0; i < (mode() == Mode::bits64 ? 16 : 8); ++i) {
            EXPECT_EQ(ours.gpr[i], real.state.gpr[i])
                << std::hex << "register " << i << ": " << ours.gpr[i] << " for " << real.state.gpr[i] << ", before " << before.gpr[i];
        }
        const u64 compared = (rflags::arithmetic | rflags::df) & ~(faulted ? 0 : undefined_flags(in, before));
        EXPECT_EQ(ours.rflags & compared, real.state.rflags & compared) << std::hex << "flags " << (ours.rflags & compared) << " for "
                                                                        << (real.state.rflags & compared) << ", before " << before.rflags;
        EXPECT_EQ(std::memcmp(memory_.data(), cpu_.window().data(), memory_.size()), 0) << "memory";
    }

    RealCpu cpu_;
    std::mt19937_64 random_{test::Budget::seed()};
    std::vector<u8> memory_ = std::vector<u8>(RealCpu::window_size);
    std::set<u64> compared_;  ///< map and opcode
    u64 faults_ = 0;
};

TEST_P(RandomInstructions, ResultsAreThoseOfTheProcessor) {
    if (!cpu_.supports(mode())) GTEST_SKIP() << "the kernel has no code segment for this mode";
    const test::Budget budget(3);
    u64 total = 0;
    while ((budget.left() || total < 20'000) && !HasFailure()) {
        for (int i = 0; i < 100 && !HasFailure(); ++i) total += compare_one();
    }
    std::printf("%lu instructions of %zu opcodes, %lu faults\n", total, compared_.size(), faults_);
    EXPECT_GT(compared_.size(), 150u) << "opcodes that were compared at all";
}

INSTANTIATE_TEST_SUITE_P(Modes, RandomInstructions, testing::Values(Mode::bits64, Mode::bits32));

}  // namespace
}  // namespace px::emulate
