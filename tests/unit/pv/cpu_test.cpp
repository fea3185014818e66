// The PV CPU: trap tables, frames on the kernel's stack, the way back, ports.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "arch/x86/pv/bounce.hpp"

namespace px::pv {
namespace {

using abi::x86::IretContext;
using abi::x86::TrapInfo;
using ::testing::ElementsAre;

constexpr u64 kernel_text = 0xffff'ffff'8100'0000, kernel_stack = 0xffff'8880'0000'4000;
constexpr u16 user_cs = 0xe033, user_ss = 0xe02b;

TEST(PvTrapTableTest, EntriesUpToTheOneWithoutAnAddress) {
    TrapInfo list[] = {{14, 0, 0xe030, kernel_text},
                       {3, 3, 0xe033, kernel_text + 1},
                       {4, 1 | 4, 0x10, kernel_text + 2},
                       {0, 0, 0, 0},
                       {5, 0, 0, kernel_text}};
    arch::host_guest_memory(list, sizeof list);
    TrapTable table;
    GuestPtr<TrapInfo> at(reinterpret_cast<u64>(list));
    ASSERT_TRUE(table.load(at, [] { return false; }).ok());
    EXPECT_EQ(table.gate(14).address, kernel_text);
    EXPECT_EQ(table.gate(14).cs, user_cs) << "in ring 3";
    EXPECT_FALSE(table.gate(14).may_be_raised(true));
    EXPECT_TRUE(table.gate(3).may_be_raised(false));
    EXPECT_TRUE(table.gate(4).may_be_raised(true));
    EXPECT_FALSE(table.gate(4).may_be_raised(false));
    EXPECT_TRUE(table.gate(4).masks_events);
    EXPECT_EQ(table.gate(4).cs, 0x13);
    EXPECT_EQ(table.gate(5).address, 0u);
    GuestPtr<TrapInfo> nothing(0);
    ASSERT_TRUE(table.load(nothing, [] { return false; }).ok());
    EXPECT_EQ(table.gate(14).address, 0u);
    arch::host_guest_memory_clear();
}

TEST(PvTrapTableTest, BadListsAndInterruptions) {
    TrapInfo list[] = {{1, 0, 0, kernel_text}, {2, 0, 0, u64{1} << 47}, {3, 0, 0, kernel_text}};
    arch::host_guest_memory(list, sizeof list);
    TrapTable table;
    GuestPtr<TrapInfo> at(reinterpret_cast<u64>(list));
    EXPECT_EQ(table.load(at, [] { return true; }).value_or(Progress::done), Progress::more);
    EXPECT_EQ(at.address(), reinterpret_cast<u64>(&list[1]));
    EXPECT_EQ(table.load(at, [] { return true; }).error(), Errno::einval) << "not canonical";
    at = GuestPtr<TrapInfo>(reinterpret_cast<u64>(&list[2]));
    EXPECT_EQ(table.load(at, [] { return false; }).error(), Errno::efault) << "no end";
    EXPECT_EQ(table.gate(3).address, kernel_text);
    EXPECT_EQ(table.gate(2).address, 0u);
    arch::host_guest_memory_clear();
}

CpuFrame user() {
    CpuFrame frame;
    frame.rip = 0x401000;
    frame.cs = user_cs;
    frame.ss = user_ss;
    frame.rsp = 0x7fff'0000'1238;
    frame.rflags = flags::fixed | flags::interrupts | flags::trap | flags::resume | 1;
    frame.rcx = 0xc;
    frame.r11 = 0x11;
    frame.in_kernel = false;
    return frame;
}

/// What enter_kernel() has stored, and where it begins; the state after it.
struct Bounce {
    u64 address = 0;
    std::vector<u64> words;
    CpuFrame after;
};
Result<Bounce> entered(const CpuFrame& now, const Entrance& entrance, u64 stack, bool architectural_iopl) {
    Bounce bounce{.address = 0, .words = {}, .after = now};
    TRY(enter_kernel(bounce.after, entrance, stack, architectural_iopl, [&](u64 address, u64 word) {
        if (bounce.words.empty()) bounce.address = address;
        EXPECT_EQ(address, bounce.address + bounce.words.size() * sizeof word);
        bounce.words.push_back(word);
        return true;
    }));
    return bounce;
}

/// leave_kernel(), by value.
struct Return {
    CpuFrame after;
    bool by_sysret;
};
Result<Return> left(CpuFrame frame, const IretContext& context, bool has_user_root, bool architectural_iopl) {
    const bool by_sysret = TRY(leave_kernel(frame, context, has_user_root, architectural_iopl));
    return Return{frame, by_sysret};
}

TEST(PvBounceTest, AnExceptionOfAUser) {
    const auto bounce = entered(user(), {.address = kernel_text, .error_code = 6}, kernel_stack, false);
    ASSERT_TRUE(bounce.ok());
    EXPECT_THAT(bounce->words, ElementsAre(0xc, 0x11, 6, 0x401000, user_cs,
                                           flags::fixed | flags::interrupts | flags::trap | flags::resume | 1, 0x7fff'0000'1238, user_ss));
    EXPECT_EQ(bounce->address, kernel_stack - 64);
    EXPECT_EQ(bounce->after.rsp, bounce->address);
    EXPECT_EQ(bounce->after.rip, kernel_text);
    EXPECT_EQ(bounce->after.cs, 0xe033);
    EXPECT_EQ(bounce->after.ss, 0xe02b);
    EXPECT_EQ(bounce->after.rflags, flags::fixed | flags::interrupts | 1) << "the processor's interrupts stay open";
    EXPECT_TRUE(bounce->after.in_kernel);
    EXPECT_FALSE(bounce->after.events_masked);
}

TEST(PvBounceTest, AnEventInTheKernel) {
    CpuFrame now = user();
    now.in_kernel = true;
    now.rsp = kernel_stack - 0x108;
    const auto bounce = entered(now, {.address = kernel_text, .masks_events = true}, 0x1000, false);
    ASSERT_TRUE(bounce.ok());
    EXPECT_EQ(bounce->address, kernel_stack - 0x110 - 56) << "aligned to 16 bytes, then the frame; on the stack that it is on";
    EXPECT_EQ(bounce->words[3], user_cs & ~3u) << "it interrupted itself";
    EXPECT_TRUE(bounce->after.events_masked);
}

TEST(PvBounceTest, TheMaskOfEventsIsTheInterruptFlagOfTheFrame) {
    CpuFrame now = user();
    now.events_masked = true;
    now.rflags |= flags::privilege;
    const auto bounce = entered(now, {.address = kernel_text}, kernel_stack, false);
    ASSERT_TRUE(bounce.ok());
    EXPECT_EQ(bounce->words[3], u64{user_cs} | u64{1} << 32);
    EXPECT_EQ(bounce->words[4] & (flags::interrupts | flags::privilege), 0u);
    EXPECT_TRUE(bounce->after.events_masked) << "and stays";
    now.iopl = 2;
    EXPECT_EQ(entered(now, {.address = kernel_text}, kernel_stack, true)->words[4] & flags::privilege, 2u << 12);
}

TEST(PvBounceTest, TheFailsafeCallbackGetsTheSelectors) {
    const auto bounce = entered(user(), {.address = kernel_text, .is_failsafe = true, .data_selectors = {1, 2, 3, 4}}, kernel_stack, false);
    ASSERT_TRUE(bounce.ok());
    EXPECT_EQ(bounce->words.size(), 11u);
    for (u64 i = 0; i < 4; ++i) EXPECT_EQ(bounce->words[i], i + 1);
    EXPECT_EQ(bounce->words[4], 0xcu);
    EXPECT_EQ(bounce->address, kernel_stack - 88);
}

TEST(PvBounceTest, WhatCantBeEntered) {
    const auto enter = [](u64 address, u64 stack) { return entered(user(), {.address = address}, stack, false).ok(); };
    EXPECT_FALSE(enter(0, kernel_stack)) << "no handler";
    EXPECT_FALSE(enter(u64{1} << 47, kernel_stack));
    EXPECT_FALSE(enter(kernel_text, 0xffff'8400'0000'0000)) << "our memory";
    EXPECT_FALSE(enter(kernel_text, 0xffff'8000'0000'0010)) << "its first word";
    EXPECT_TRUE(enter(kernel_text, 0xffff'8000'0000'0000));
    EXPECT_FALSE(enter(kernel_text, 0xffff'8800'0000'0030)) << "its last word";
    EXPECT_TRUE(enter(kernel_text, 0xffff'8800'0000'0040));
    EXPECT_FALSE(enter(kernel_text, 0x10)) << "goes round the address space";
}

TEST(PvBounceTest, AWordThatCantBeStoredChangesNothing) {
    for (unsigned fails = 0; fails < 8; ++fails) {
        CpuFrame frame = user();
        unsigned stored = 0;
        const auto result = enter_kernel(frame, {.address = kernel_text, .error_code = 6}, kernel_stack, false,
                                         [&](u64, u64) { return stored++ != fails; });
        EXPECT_EQ(result.error(), Errno::efault);
        EXPECT_EQ(frame.rip, user().rip);
        EXPECT_FALSE(frame.in_kernel);
    }
}

TEST(PvReturnTest, ToAUser) {
    CpuFrame now;
    now.rcx = 1;
    now.r11 = 2;
    const IretContext context{.rax = 3,
                              .r11 = 4,
                              .rcx = 5,
                              .flags = 0,
                              .rip = 0x401000,
                              .cs = user_cs,
                              .rflags = flags::interrupts | flags::privilege | flags::virtual_8086 | flags::trap,
                              .rsp = 0x7000,
                              .ss = user_ss};
    const auto back = left(now, context, true, false);
    ASSERT_TRUE(back.ok());
    EXPECT_FALSE(back->after.in_kernel);
    EXPECT_FALSE(back->by_sysret);
    EXPECT_EQ(back->after.rflags, flags::fixed | flags::interrupts | flags::trap);
    EXPECT_EQ(back->after.rax, 3u);
    EXPECT_EQ(back->after.r11, 4u);
    EXPECT_EQ(back->after.rcx, 5u);
    EXPECT_EQ(back->after.rsp, 0x7000u);
    EXPECT_EQ(back->after.iopl, 0u);
    EXPECT_FALSE(left(now, context, false, false).ok()) << "no tables for users";
    EXPECT_EQ(left(now, context, true, true)->after.iopl, 3u);
}

TEST(PvReturnTest, ForgedFramesStayInRing3WithInterruptsOpen) {
    for (const u64 cs : {u64{0x08}, u64{0x10}, u64{0xe030}, u64{0}, u64{0xffff}}) {
        const IretContext context{.rax = 0, .r11 = 0, .rcx = 0, .flags = 0, .rip = 0, .cs = cs, .rflags = 0, .rsp = 0, .ss = 0x18};
        const auto back = left({}, context, true, false);
        ASSERT_TRUE(back.ok());
        EXPECT_EQ(back->after.cs & 3, 3);
        EXPECT_EQ(back->after.ss & 3, 3);
        EXPECT_TRUE(back->after.rflags & flags::interrupts);
        EXPECT_TRUE(back->after.events_masked) << "its own interrupt flag is the mask of events";
        EXPECT_EQ(back->after.in_kernel, (cs & 3) != 3);
    }
}

TEST(PvReturnTest, SysretOnlyWhereItIsSafe) {
    IretContext context{.rax = 0,
                        .r11 = 4,
                        .rcx = 5,
                        .flags = abi::x86::vgcf::in_syscall,
                        .rip = 0x401000,
                        .cs = user_cs,
                        .rflags = flags::interrupts,
                        .rsp = 0,
                        .ss = user_ss};
    const auto by_sysret = [&] { return left({}, context, true, false)->by_sysret; };
    EXPECT_TRUE(by_sysret());
    EXPECT_EQ(left({}, context, true, false)->after.rcx, 0u) << "left as it is";
    context.rip = u64{1} << 47;
    EXPECT_FALSE(by_sysret());
    context.rip = 0x401000;
    context.cs = 0xe023;
    EXPECT_FALSE(by_sysret());
    context.cs = user_cs;
    context.ss = 0x13;
    EXPECT_FALSE(by_sysret());
    context.ss = user_ss;
    context.rflags |= flags::trap;
    EXPECT_FALSE(by_sysret());
}

TEST(PvPortsTest, LevelOrBitmap) {
    std::map<unsigned, u8> bitmap{{0x3f8 / 8, 0xff}, {0x60 / 8, 0xee}};
    const auto byte = [&](unsigned n) -> Result<u8> {
        if (n == 0x1000 / 8) return Err{Errno::efault};
        return bitmap.contains(n) ? bitmap.at(n) : u8{0};
    };
    CpuFrame kernel, users = user();
    const auto may = [&](const CpuFrame& now, u16 port, unsigned size, u64 iopl, bool architectural, u32 bits = 65536) {
        return may_use_ports(now, port, size, iopl, architectural, bits, byte);
    };
    EXPECT_TRUE(may(kernel, 0x3f8, 1, 1, false));
    EXPECT_FALSE(may(kernel, 0x3f8, 1, 0, false));
    EXPECT_TRUE(may(kernel, 0x3f8, 1, 0, true));
    EXPECT_FALSE(may(users, 0x3f8, 1, 2, false));
    EXPECT_TRUE(may(users, 0x3f8, 1, 3, false));
    EXPECT_TRUE(may(users, 0x80, 4, 0, false)) << "allowed by its bitmap";
    EXPECT_TRUE(may(users, 0x60, 1, 0, false));
    EXPECT_FALSE(may(users, 0x60, 2, 0, false)) << "each port";
    EXPECT_FALSE(may(users, 0x3f7, 2, 0, false)) << "across bytes";
    EXPECT_FALSE(may(users, 0x80, 4, 0, false, 0x83)) << "beyond its end";
    EXPECT_FALSE(may(users, 0xffff, 2, 0, false)) << "beyond all ports";
    EXPECT_FALSE(may(users, 0x1000, 1, 0, false)) << "a bitmap that can't be read";
}

}  // namespace
}  // namespace px::pv
