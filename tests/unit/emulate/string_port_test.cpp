// Emulator: string instructions round by round, and the permission to use ports.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/emulate/fake_machine.hpp"

namespace px::emulate {
namespace {

using namespace test;
using Kind = Outcome::Kind;

TEST(Strings, FaultInALaterRoundKeepsTheRoundsBefore) {
    FakeMachine machine;
    machine.absent_pages[4] = true;
    for (u64 i = 0; i < 16; ++i) machine.ram[0x2000 + i] = static_cast<u8>(i + 1);
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rsi] = 0x2000, r.gpr[rdi] = 0x3ff8, r.gpr[rcx] = 4;
    const Outcome outcome = run_code(machine, r, "f3 a5");  // rep movsd
    ASSERT_EQ(outcome.kind, Kind::fault);
    EXPECT_EQ(outcome.fault.cr2, 0x4000u);
    EXPECT_EQ(r.gpr[rcx], 2u);
    EXPECT_EQ(r.gpr[rsi], 0x2008u);
    EXPECT_EQ(r.gpr[rdi], 0x4000u);
    EXPECT_EQ(r.rip, 0x1000u);
    machine.absent_pages.clear();
    EXPECT_EQ(run_code(machine, r, "f3 a5").kind, Kind::done);
    EXPECT_EQ(r.gpr[rcx], 0u);
    EXPECT_EQ(r.rip, 0x1002u);
    EXPECT_TRUE(std::equal(machine.ram.begin() + 0x2000, machine.ram.begin() + 0x2010, machine.ram.begin() + 0x3ff8));
}

TEST(Strings, LongRepeatsAreDoneInBoundedRuns) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rax] = 0xaa, r.gpr[rdi] = 0x3000, r.gpr[rcx] = 0x1000;
    int runs = 0;
    Outcome outcome{.kind = Kind::again};
    while (outcome.kind == Kind::again && runs < 100) {
        outcome = run_code(machine, r, "f3 aa");
        ++runs;
        if (outcome.kind == Kind::again) { EXPECT_EQ(r.rip, 0x1000u); }
    }
    EXPECT_EQ(outcome.kind, Kind::done);
    EXPECT_GT(runs, 1);
    EXPECT_EQ(r.gpr[rdi], 0x4000u);
    EXPECT_EQ(std::count(machine.ram.begin(), machine.ram.end(), 0xaa),
              0x1001);  // and the STOS opcode itself
}

TEST(Strings, SlowDeviceIsReadOncePerRound) {
    FakeMachine machine;
    machine.device_answers_late = true;
    machine.device[FakeMachine::mmio] = 0x11, machine.device[FakeMachine::mmio + 4] = 0x22;
    Registers r = flat_registers(Mode::bits32);
    r.gpr[rsi] = FakeMachine::mmio, r.gpr[rdi] = FakeMachine::mmio + 0x100, r.gpr[rcx] = 2;
    Outcome outcome{.kind = Kind::retry};
    for (int i = 0; i < 20 && outcome.kind == Kind::retry; ++i) outcome = run_code(machine, r, "f3 a5");
    EXPECT_EQ(outcome.kind, Kind::done);
    EXPECT_EQ(machine.log, (std::vector<std::string>{"read 0", "write 256", "read 4", "write 260"}));
    EXPECT_EQ(machine.device[FakeMachine::mmio + 0x104], 0x22u);
}

TEST(Strings, SixteenBitAddressesAndCountsLeaveUpperHalves) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits16);
    r.gpr[rdi] = 0x7777fffe, r.gpr[rcx] = 0x55550002, r.gpr[rax] = 0x1234;
    EXPECT_EQ(run_code(machine, r, "f3 ab").kind, Kind::done);  // rep stosw
    EXPECT_EQ(r.gpr[rdi], 0x77770002u);
    EXPECT_EQ(r.gpr[rcx], 0x55550000u);
    EXPECT_EQ(machine.value(0xfffe, 2), 0x1234u);
    EXPECT_EQ(machine.value(0, 2), 0x1234u);
}

TEST(Strings, OverrideChangesTheSourceOnly) {
    FakeMachine machine;
    Registers r = flat_registers(Mode::bits32);
    r[Segment::fs].base = 0x4000;
    machine.ram[0x4010] = 0x77;
    r.gpr[rsi] = 0x10, r.gpr[rdi] = 0x20;
    EXPECT_EQ(run_code(machine, r, "64 a4").kind, Kind::done);
    EXPECT_EQ(machine.ram[0x20], 0x77);
}

TEST(Strings, InputIntoMissingMemoryDoesNotTouchThePort) {
    FakeMachine machine;
    machine.absent_pages[3] = true;
    machine.ports[0x60] = 0x99;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rdi] = 0x3000, r.gpr[rdx] = 0x60;
    EXPECT_EQ(run_code(machine, r, "6c").kind, Kind::fault);
    EXPECT_TRUE(machine.log.empty());
    machine.absent_pages.clear();
    EXPECT_EQ(run_code(machine, r, "6c").kind, Kind::done);
    EXPECT_EQ(machine.ram[0x3000], 0x99);
}

TEST(Strings, PortStringsMoveAtMostFourBytes) {
    FakeMachine machine;
    machine.set(0x2000, 8, 0x1122334455667788);
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rsi] = 0x2000, r.gpr[rdx] = 0x1f0, r.gpr[rcx] = 2;
    EXPECT_EQ(run_code(machine, r, "f3 48 6f").kind, Kind::done);
    EXPECT_EQ(machine.log, (std::vector<std::string>{"out4 496", "out4 496"}));
    EXPECT_EQ(machine.ports[0x1f0], 0x11223344u);
    EXPECT_EQ(r.gpr[rsi], 0x2008u);
}

TEST(Ports, WidthsAndExtension) {
    FakeMachine machine;
    machine.ports[0x71] = 0xdeadbeef;
    Registers r = flat_registers(Mode::bits64);
    r.gpr[rax] = ~u64{0};
    EXPECT_EQ(run_code(machine, r, "e4 71").kind, Kind::done);  // in al, 0x71
    EXPECT_EQ(r.gpr[rax], 0xffffffffffffffefu);
    r.gpr[rdx] = 0xabc0071;
    EXPECT_EQ(run_code(machine, r, "66 ed").kind, Kind::done);  // in ax, dx
    EXPECT_EQ(r.gpr[rax], 0xffffffffffffbeefu);
    EXPECT_EQ(run_code(machine, r, "48 ed").kind, Kind::done);  // in eax, dx
    EXPECT_EQ(r.gpr[rax], 0xdeadbeefu);
    EXPECT_EQ(run_code(machine, r, "e6 fe").kind, Kind::done);  // out 0xfe, al
    EXPECT_EQ(machine.log.back(), "out1 254");
}

struct PermissionCase {
    const char* what;
    bool protected_mode, virtual_8086;
    unsigned cpl, iopl;
    u16 task_attributes;
    u32 task_limit;
    u8 bitmap0, bitmap1;  ///< of ports 70–77, 78–7F
    const char* code;
    bool permitted;
};

constexpr u16 tss32 = 0x8b, tss16 = 0x83;
constexpr u32 bitmap_at = 0x68, whole = bitmap_at + 0x10;

// clang-format off
const PermissionCase permission_cases[] = {
    {"real mode", false, false, 0, 0, 0, 0, 0xff, 0xff, "e4 71", true},
    {"CPL 0", true, false, 0, 0, 0, 0, 0xff, 0xff, "e4 71", true},
    {"CPL 3 with IOPL 3", true, false, 3, 3, 0, 0, 0xff, 0xff, "e4 71", true},
    {"CPL 3, bit clear", true, false, 3, 0, tss32, whole, 0xfd, 0xff, "e4 71", true},
    {"CPL 3, bit set", true, false, 3, 0, tss32, whole, 0x02, 0, "e4 71", false},
    {"second port denied", true, false, 3, 0, tss32, whole, 0x04, 0, "66 e5 71", false},
    {"double word over two bytes", true, false, 3, 0, tss32, whole, 0, 0x01, "e5 76", false},
    {"double word over two bytes", true, false, 3, 0, tss32, whole, 0x3f, 0xfc, "e5 76", true},
    {"bitmap ends before", true, false, 3, 0, tss32, whole - 2, 0, 0, "e4 71", false},
    {"16-bit TSS", true, false, 3, 0, tss16, whole, 0, 0, "e4 71", false},
    {"no TSS", true, false, 3, 0, 0, whole, 0, 0, "e4 71", false},
    {"virtual-8086 mode ignores IOPL", true, true, 3, 3, tss32, whole, 0x02, 0, "e4 71", false},
    {"virtual-8086 mode, bit clear", true, true, 3, 0, tss32, whole, 0, 0, "e4 71", true},
    {"output", true, false, 3, 0, tss32, whole, 0x02, 0, "e6 71", false},
    {"string, count 0", true, false, 3, 0, tss32, whole, 0x02, 0, "f3 6e", false},
};
// clang-format on

TEST(Ports, PermissionByIoplAndBitmap) {
    for (const PermissionCase& c : permission_cases) {
        FakeMachine machine;
        Registers r = c.protected_mode ? flat_registers(c.virtual_8086 ? Mode::bits16 : Mode::bits32) : real_mode_registers();
        if (c.virtual_8086) r.rflags |= rflags::vm;
        r.cpl = static_cast<u8>(c.cpl);
        r.rflags |= u64{c.iopl} << rflags::iopl_shift;
        r.gpr[rdx] = 0x71;
        r.task = {.selector = 8, .attributes = c.task_attributes, .limit = c.task_limit, .base = 0x5000};
        machine.set(0x5000 + 102, 2, bitmap_at);
        machine.ram[0x5000 + bitmap_at + 0x70 / 8] = c.bitmap0;
        machine.ram[0x5000 + bitmap_at + 0x78 / 8] = c.bitmap1;
        const Outcome outcome = run_code(machine, r, c.code);
        EXPECT_EQ(outcome.kind, c.permitted ? Kind::done : Kind::fault) << c.what;
        EXPECT_EQ(machine.log.size(), c.permitted ? 1u : 0u) << c.what;
        if (!c.permitted) {
            EXPECT_EQ(outcome.fault.vector, general_protection) << c.what;
            EXPECT_EQ(outcome.fault.error_code, 0u) << c.what;
        }
    }
}

}  // namespace
}  // namespace px::emulate
