// Emulator: fetching, faults of each kind, LOCK, replay, and the modes that the comparison with the processor
// doesn't reach.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/emulator.hpp"

#include <gtest/gtest.h>

#include "tests/unit/emulate/fake_machine.hpp"

namespace px::emulate {
namespace {

using namespace test;
using Kind = Outcome::Kind;

void expect_fault(const Outcome& outcome, u8 vector, int error_code, const char* what) {
    ASSERT_EQ(outcome.kind, Kind::fault) << what;
    EXPECT_EQ(outcome.fault.vector, vector) << what;
    EXPECT_EQ(outcome.fault.has_error_code ? static_cast<int>(outcome.fault.error_code) : -1, error_code) << what;
}
constexpr int no_error_code = -1;

TEST(Fetch, ShortInstructionAtTheEndOfAPageNeedsOnlyThatPage) {
    FakeMachine machine;
    machine.absent_pages[2] = true;
    Registers r = flat_registers(Mode::bits64);
    r.rip = 0x1ffe;
    EXPECT_EQ(run_code(machine, r, "89 c8").kind, Kind::done);  // mov eax, ecx
    EXPECT_EQ(r.rip, 0x2000u);
}

TEST(Fetch, MissingSecondPageFaultsAtItsStart) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    r.rip = 0x1fff;
    ASSERT_EQ(run_code(machine, r, "89 c8").kind, Kind::done);
    machine.absent_pages[2] = true;
    r.rip = 0x1fff;
    const Outcome outcome = run(r, machine);
    expect_fault(outcome, page_fault, 0, "second page");
    EXPECT_EQ(outcome.fault.cr2, 0x2000u);
    EXPECT_EQ(r.rip, 0x1fffu);
}

TEST(Fetch, WhatTheCpuHasReadIsNotFetchedAgain) {
    FakeMachine machine;
    machine.absent_pages[1] = true;
    Registers r = flat_registers(Mode::bits64);
    r.rip = 0x1ffe;
    const u8 known[] = {0xb8, 0x11};  // mov eax, imm32
    auto fetched = fetch_instruction(r, machine, known);
    ASSERT_TRUE(fetched.ok()) << "its second page is there";
    EXPECT_EQ(fetched->length, 5);
    EXPECT_EQ(fetched->immediate, 0x11u);
    machine.absent_pages[2] = true;
    EXPECT_EQ(fetch_instruction(r, machine, known).error().fault.cr2, 0x2000u);
    const u8 whole[] = {0x89, 0xc8, 0x90};
    fetched = fetch_instruction(r, machine, whole);
    ASSERT_TRUE(fetched.ok());
    EXPECT_EQ(fetched->length, 2);
    std::array<u8, 20> too_many;
    too_many.fill(0x66);
    expect_fault(fetch_instruction(r, machine, too_many).error(), general_protection, 0, "prefixes only");
}

TEST(Fetch, UndefinedTooLongAndOutside) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    expect_fault(run_code(machine, r, "0f 04"), undefined_opcode, no_error_code, "undefined");
    expect_fault(run_code(machine, r, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"), general_protection, 0, "16 bytes");
    r.rip = u64{1} << 47;
    expect_fault(run(r, machine), general_protection, 0, "RIP not canonical");

    r = flat_registers(Mode::bits32);
    r[Segment::cs].limit = 0x1000;
    expect_fault(run_code(machine, r, "89 c8"), general_protection, 0, "second byte beyond the limit");
    r[Segment::cs].limit = 0x1001;
    EXPECT_EQ(run_code(machine, r, "89 c8").kind, Kind::done);
    expect_fault(run(r, machine), general_protection, 0, "first byte beyond the limit");
}

TEST(Outcomes, OtherInstructionsAreUnhandledAndChangeNothing) {
    for (const char* code : {"0f a2", "f4", "0f 01 d9", "0f 30", "f7 f1", "c3", "0f 10 c1", "62 f1 7e 48 6f 09", "f2 0f 38 f1 c1"}) {
        FakeMachine machine;
        Registers r = flat_registers(Mode::bits64);
        const Registers before = r;
        EXPECT_EQ(run_code(machine, r, code).kind, Kind::unhandled) << code;
        EXPECT_TRUE(same(r, before)) << code;
    }
}

TEST(Outcomes, CompletionClearsTheResumeFlag) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    r.rflags |= rflags::rf;
    ASSERT_EQ(run_code(machine, r, "89 c8").kind, Kind::done);
    EXPECT_FALSE(r.rflags & rflags::rf);
}

struct SegmentCase {
    const char* what;
    Segment segment;
    SegmentRegister state;
    const char* code;
    u64 address;  ///< RBX and RBP
    int vector;   ///< -1: done
};

constexpr u16 absent = 0, read_only = 0xc91, expand_down = 0xc97, expand_down_16 = 0x97, code_only = 0xc99, code_readable = 0xc9b;

// clang-format off
const SegmentCase segment_cases[] = {
    {"read of a null segment", Segment::ds, {0, absent, 0, 0}, "8b 03", 0x100, general_protection},
    {"write of a null segment by override", Segment::gs, {0, absent, 0, 0}, "65 89 03", 0x100, general_protection},
    {"read of a read-only segment", Segment::ds, {8, read_only, 0xffff, 0}, "8b 03", 0x100, -1},
    {"write of a read-only segment", Segment::ds, {8, read_only, 0xffff, 0}, "89 03", 0x100, general_protection},
    {"read-modify-write of a read-only segment", Segment::ds, {8, read_only, 0xffff, 0}, "01 03", 0x100, general_protection},
    {"compare in a read-only segment", Segment::ds, {8, read_only, 0xffff, 0}, "39 03", 0x100, -1},
    {"read of readable code", Segment::ds, {8, code_readable, 0xffff, 0}, "8b 03", 0x100, -1},
    {"read of execute-only code", Segment::ds, {8, code_only, 0xffff, 0}, "8b 03", 0x100, general_protection},
    {"write of code", Segment::ds, {8, code_readable, 0xffff, 0}, "89 03", 0x100, general_protection},
    {"last byte at the limit", Segment::ds, {8, flat_data, 0x103, 0}, "8b 03", 0x100, -1},
    {"last byte beyond the limit", Segment::ds, {8, flat_data, 0x102, 0}, "8b 03", 0x100, general_protection},
    {"stack beyond the limit", Segment::ss, {8, flat_data, 0x102, 0}, "8b 45 00", 0x100, stack_fault},
    {"expand-down at its limit", Segment::ds, {8, expand_down, 0x100, 0}, "8b 03", 0x100, general_protection},
    {"expand-down above its limit", Segment::ds, {8, expand_down, 0x100, 0}, "8b 03", 0x101, -1},
    {"expand-down beyond 64 KiB", Segment::ds, {8, expand_down_16, 0x100, 0}, "8b 03", 0xfffd, general_protection},
    {"expand-down at 64 KiB", Segment::ds, {8, expand_down_16, 0x100, 0}, "8b 03", 0xfffc, -1},
    {"base is added", Segment::ds, {8, flat_data, 0xfff, 0xf000}, "8b 03", 0xffc, -1},
    {"base wraps at 4 GiB", Segment::ds, {8, flat_data, ~0u, 0xfffff000}, "8b 03", 0x1100, -1},
};
// clang-format on

TEST(Segments, ChecksOfProtectedMode) {
    for (const SegmentCase& c : segment_cases) {
        FakeMachine machine;
        Registers r = flat_registers(Mode::bits32);
        r[c.segment] = c.state;
        r.gpr[rbx] = r.gpr[rbp] = c.address;
        const Registers before = r;
        const Outcome outcome = run_code(machine, r, c.code);
        if (c.vector < 0) {
            EXPECT_EQ(outcome.kind, Kind::done) << c.what;
            continue;
        }
        expect_fault(outcome, static_cast<u8>(c.vector), 0, c.what);
        EXPECT_TRUE(same(r, before)) << c.what;
    }
}

TEST(Segments, AccessAcrossTheEndOfLinearSpaceIsUnhandled) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits32);
    r.gpr[rbx] = 0xfffffffc;
    r[Segment::ds].base = 2;
    EXPECT_EQ(run_code(machine, r, "8b 03").kind, Kind::unhandled);
}

TEST(Segments, RealModeHasLimitsButNoErrorCodesAndNoTypes) {
    FakeMachine machine;
    Registers r = real_mode_registers();
    r[Segment::ds] = {.selector = 0x100, .attributes = read_only, .limit = 0xffff, .base = 0x1000};
    r.gpr[rbx] = 0x234;
    EXPECT_EQ(run_code(machine, r, "c7 07 cd ab").kind, Kind::done);  // mov word [bx], 0xabcd
    EXPECT_EQ(machine.value(0x1234, 2), 0xabcdu);
    r.gpr[rbx] = 0xffff;
    expect_fault(run_code(machine, r, "8b 07"), general_protection, no_error_code, "word at ffff");
    r.gpr[rbp] = 0xffff;
    expect_fault(run_code(machine, r, "8b 46 00"), stack_fault, no_error_code, "stack word at ffff");
}

TEST(Segments, Virtual8086ModePushesErrorCodes) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits16);
    r.rflags |= rflags::vm;
    r.cpl = 3;
    r[Segment::ds].attributes = 0xf3;
    r.gpr[rbx] = 0xffff;
    expect_fault(run_code(machine, r, "8b 07"), general_protection, 0, "word at ffff");
}

TEST(Addresses, SixteenBitFormsWrap) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits16);
    machine.set(0x0010, 2, 0x1234);
    r.gpr[rbx] = 0xfff0, r.gpr[rsi] = 0x15;
    EXPECT_EQ(run_code(machine, r, "8b 40 0b").kind, Kind::done);  // mov ax, [bx + si + 11]
    EXPECT_EQ(r.gpr[rax], 0x1234u);
}

TEST(Addresses, CanonicalFormDependsOnLa57) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rbx] = r.gpr[rbp] = u64{1} << 50;
    expect_fault(run_code(machine, r, "8b 03"), general_protection, 0, "48 bits");
    expect_fault(run_code(machine, r, "8b 45 00"), stack_fault, 0, "48 bits, stack");
    r.gpr[rbx] = (u64{1} << 47) - 1;
    expect_fault(run_code(machine, r, "8b 03"), general_protection, 0, "last byte not canonical");
    r.cr4 |= cr4::la57;
    r.gpr[rbx] = u64{1} << 50;
    expect_fault(run_code(machine, r, "8b 03"), page_fault, 0, "57 bits");
}

TEST(Lock, IsForReadModifyWriteOfMemory) {
    struct Case {
        const char* code;
        bool legal;
    };
    for (const Case& c :
         {Case{"f0 01 03", true},   {"f0 01 c3", false},   {"f0 03 03", false},    {"f0 39 03", false},   {"f0 83 03 01", true},
          {"f0 83 3b 01", false},   {"f0 89 03", false},   {"f0 87 03", true},     {"f0 f7 13", true},    {"f0 f7 03 00 00 00 00", false},
          {"f0 ff 03", true},       {"f0 ff 33", false},   {"f0 0f a3 03", false}, {"f0 0f ab 03", true}, {"f0 0f ba 23 00", false},
          {"f0 0f ba 2b 00", true}, {"f0 0f b1 0b", true}, {"f0 0f c1 0b", true},  {"f0 0f c7 0b", true}, {"f0 d1 23", false},
          {"f0 a4", false},         {"f0 0f a2", false},   {"f0 50", false}}) {
        FakeMachine machine;
        Registers r = flat_registers(Mode::bits64);
        r.gpr[rbx] = 0x3000;
        const Outcome outcome = run_code(machine, r, c.code);
        if (c.legal) {
            EXPECT_EQ(outcome.kind, Kind::done) << c.code;
        } else {
            expect_fault(outcome, undefined_opcode, no_error_code, c.code);
        }
    }
}

TEST(Lock, LostRaceChangesNothingAndIsDoneAgain) {
    for (const char* code : {"f0 01 03", "87 03", "f0 0f b1 03", "f0 0f c1 03", "f0 0f ab 03", "f0 0f c7 0b"}) {
        FakeMachine machine;
        machine.lost_races = 1;
        Registers r = flat_registers(Mode::bits64);
        r.gpr[rbx] = 0x3000, r.gpr[rax] = 5;
        const Registers before = r;
        EXPECT_EQ(run_code(machine, r, code).kind, Kind::again) << code;
        EXPECT_TRUE(same(r, before)) << code;
        EXPECT_EQ(run_code(machine, r, code).kind, Kind::done) << code;
    }
}

/// Runs until the device stops saying "retry"; the number of runs.
int run_to_the_end(FakeMachine& machine, Registers& r, const char* code, Outcome& outcome) {
    for (int runs = 1; runs < 100; ++runs) {
        const Registers before = r;
        outcome = run_code(machine, r, code);
        if (outcome.kind != Kind::retry) return runs;
        EXPECT_EQ(r.rip, before.rip);
    }
    return -1;
}

TEST(Replay, ReadModifyWriteOfADevicePerformsEachAccessOnce) {
    FakeMachine machine;
    machine.device_answers_late = true;
    machine.device[FakeMachine::mmio + 8] = 0x0f;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rbx] = FakeMachine::mmio;
    Outcome outcome;
    EXPECT_EQ(run_to_the_end(machine, r, "83 4b 08 70", outcome), 3);  // or dword [rbx + 8], 0x70
    EXPECT_EQ(outcome.kind, Kind::done);
    EXPECT_EQ(machine.log, (std::vector<std::string>{"read 8", "write 8"}));
    EXPECT_EQ(machine.device[FakeMachine::mmio + 8], 0x7fu);
    EXPECT_EQ(r.rip, 0x1004u);
}

TEST(Replay, LateAnswerLeavesRegistersUntouched) {
    FakeMachine machine;
    machine.device_answers_late = true;
    machine.device[FakeMachine::mmio] = 0x1122334455667788;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rbx] = FakeMachine::mmio;
    const Registers before = r;
    EXPECT_EQ(run_code(machine, r, "48 8b 03").kind, Kind::retry);
    EXPECT_TRUE(same(r, before));
    EXPECT_EQ(run_code(machine, r, "48 8b 03").kind, Kind::done);
    EXPECT_EQ(r.gpr[rax], 0x1122334455667788u);
}

TEST(Replay, PopThatFaultsAtItsDestinationKeepsTheStackPointer) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rbx] = 0x100000;
    const Registers before = r;
    const Outcome outcome = run_code(machine, r, "8f 03");
    expect_fault(outcome, page_fault, 2, "pop");
    EXPECT_EQ(outcome.fault.cr2, 0x100000u);
    EXPECT_TRUE(same(r, before));
}

TEST(Stack, SizesFollowTheModeAndTheStackSegment) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits32);
    r.gpr[rax] = 0x11223344;
    EXPECT_EQ(run_code(machine, r, "50").kind, Kind::done);
    EXPECT_EQ(r.gpr[rsp], 0x7ffcu);
    EXPECT_EQ(machine.value(0x7ffc, 4), 0x11223344u);

    r[Segment::ss].attributes = data_16;
    r.gpr[rsp] = 0x55550000;  // a 16-bit stack: SP wraps, the upper half of ESP stays
    EXPECT_EQ(run_code(machine, r, "66 6a ff").kind, Kind::done);
    EXPECT_EQ(r.gpr[rsp], 0x5555fffeu);
}

TEST(Modes, OpcodesThatAreRexIn64BitMode) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits32);
    r.gpr[rdi] = 0xffffffff;
    r.rflags |= rflags::cf;
    EXPECT_EQ(run_code(machine, r, "47").kind, Kind::done);  // inc edi
    EXPECT_EQ(r.gpr[rdi], 0u);
    EXPECT_EQ(r.rflags & rflags::arithmetic, rflags::zf | rflags::pf | rflags::af | rflags::cf);
    EXPECT_EQ(run_code(machine, r, "66 4f").kind, Kind::done);  // dec di
    EXPECT_EQ(r.gpr[rdi], 0xffffu);
}

TEST(Modes, AbsoluteOffsetsHaveTheAddressSize) {
    FakeMachine machine;
    machine.set(0x3000, 4, 0xcafe1234);
    Registers r = flat_registers(Mode::bits64);
    EXPECT_EQ(run_code(machine, r, "a1 00 30 00 00 00 00 00 00").kind, Kind::done);
    EXPECT_EQ(r.gpr[rax], 0xcafe1234u);
    r = flat_registers(Mode::bits16);
    EXPECT_EQ(run_code(machine, r, "a2 01 30").kind, Kind::done);  // mov [0x3001], al
    EXPECT_EQ(machine.value(0x3000, 4), 0xcafe0034u);
}

TEST(Modes, ConditionalMoveReadsItsSourceAnyway) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rbx] = 0x100000;
    expect_fault(run_code(machine, r, "0f 44 03"), page_fault, 0, "cmove with ZF clear");
}

TEST(Vectors, ControlRegistersDecide) {
    struct Case {
        const char* what;
        u64 cr0_set, cr4_clear;
        const char* code;
        int vector;
    };
    const char *movups = "0f 11 03", *vmovups = "c5 fc 11 03", *bad_vvvv = "c5 f4 11 03";
    for (const Case& c : {Case{"on", 0, 0, movups, -1},
                          {"TS", cr0::ts, 0, movups, device_not_available},
                          {"EM", cr0::em, 0, movups, undefined_opcode},
                          {"EM and TS", cr0::em | cr0::ts, 0, movups, undefined_opcode},
                          {"OSFXSR", 0, cr4::osfxsr, movups, undefined_opcode},
                          {"AVX on", 0, cr4::osfxsr, vmovups, -1},
                          {"AVX TS", cr0::ts, 0, vmovups, device_not_available},
                          {"OSXSAVE", 0, cr4::osxsave, vmovups, undefined_opcode},
                          {"vvvv", 0, 0, bad_vvvv, undefined_opcode}}) {
        FakeMachine machine;
        machine.vectors[0] = std::vector<u8>(32, 0x5a);
        Registers r = flat_registers(Mode::bits64);
        r.gpr[rbx] = 0x3000;
        r.cr0 |= c.cr0_set;
        r.cr4 &= ~c.cr4_clear;
        const Outcome outcome = run_code(machine, r, c.code);
        if (c.vector < 0) {
            EXPECT_EQ(outcome.kind, Kind::done) << c.what;
        } else {
            expect_fault(outcome, static_cast<u8>(c.vector), no_error_code, c.what);
        }
    }
}

TEST(Vectors, WideRegistersAndTheirUpperHalves) {
    FakeMachine machine;
    for (unsigned i = 0; i < 32; ++i) machine.ram[0x3000 + i] = static_cast<u8>(i + 1);
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rbx] = 0x3000;
    ASSERT_EQ(run_code(machine, r, "c5 fe 6f 13").kind, Kind::done);  // vmovdqu ymm2, [rbx]
    EXPECT_EQ(machine.vectors[2], std::vector<u8>(machine.ram.begin() + 0x3000, machine.ram.begin() + 0x3020));
    EXPECT_TRUE(machine.last_zero_upper);

    ASSERT_EQ(run_code(machine, r, "f3 0f 10 0b").kind, Kind::done);  // movss xmm1, [rbx]
    EXPECT_EQ(machine.vectors[1], (std::vector<u8>{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_FALSE(machine.last_zero_upper);

    r.gpr[rbx] = 0x3100;
    ASSERT_EQ(run_code(machine, r, "c5 fd e7 13").kind, Kind::done);  // vmovntdq [rbx], ymm2
    EXPECT_TRUE(std::equal(machine.vectors[2].begin(), machine.vectors[2].end(), machine.ram.begin() + 0x3100));
    r.gpr[rbx] = 0x3110;
    expect_fault(run_code(machine, r, "c5 fd e7 13"), general_protection, 0, "32-byte alignment");
}

TEST(Vectors, VexDoesNotExistInRealMode) {
    FakeMachine machine;
    Registers r = real_mode_registers();
    expect_fault(run_code(machine, r, "c5 fa 6f 07"), undefined_opcode, no_error_code, "vmovdqu");
}

TEST(DoubleExchange, SixteenBytesMustBeAligned) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    machine.set(0x3000, 8, 1), machine.set(0x3008, 8, 2);
    r.gpr[rax] = 1, r.gpr[rdx] = 2, r.gpr[rbx] = 3, r.gpr[rcx] = 4;
    r.gpr[rsi] = 0x3000;
    EXPECT_EQ(run_code(machine, r, "f0 48 0f c7 0e").kind, Kind::done);
    EXPECT_TRUE(r.rflags & rflags::zf);
    EXPECT_EQ(machine.value(0x3000, 8), 3u);
    EXPECT_EQ(machine.value(0x3008, 8), 4u);
    EXPECT_EQ(run_code(machine, r, "f0 48 0f c7 0e").kind, Kind::done);
    EXPECT_FALSE(r.rflags & rflags::zf);
    EXPECT_EQ(r.gpr[rax], 3u);
    EXPECT_EQ(r.gpr[rdx], 4u);
    r.gpr[rsi] = 0x3008;
    expect_fault(run_code(machine, r, "f0 48 0f c7 0e"), general_protection, 0, "misaligned");
}

}  // namespace
}  // namespace px::emulate
