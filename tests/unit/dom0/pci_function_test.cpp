// A function's interrupts: what dom0 writes, and what the device gets.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci_function.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/memory.hpp"
#include "tests/unit/dom0/fake_pci.hpp"

namespace px::dom0 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr pci::Address where{0, 0, 3, 0};
constexpr u32 bar = 0xfeb00000;
constexpr u64 table = bar + 0x1000;
constexpr Message guest{0xfee02000, 0x31};

struct Function : testing::Test {
    FakePci machine;
    Box<PciFunction> function;

    void SetUp() override {
        arch::host_machine_start();
        plug(device(bar, 4));
    }
    void plug(const FakeFunction& fake) {
        function.reset();
        machine.functions[where] = fake;
        auto found = PciFunction::discover(machine, where);
        function = std::move(*found);
    }
    FakeFunction& hardware() { return machine.functions[where]; }
    void write_entry(u32 index, const Message& message, bool masked) {
        const u64 at = table + index * 16;
        function->write_memory(at, 4, message.address);
        function->write_memory(at + 4, 4, 0);
        function->write_memory(at + 8, 4, message.data);
        function->write_memory(at + 12, 4, masked);
    }
    u32 device_word(u32 index, unsigned word) { return machine.memory[table + index * 16 + word * 4]; }
    void enable_msi(u16 control = 1) { function->write(0x52, 2, control); }
    void enable_msix(u16 control = 0x8000) { function->write(0x72, 2, control); }
};

TEST_F(Function, OtherRegistersArePassedThrough) {
    EXPECT_EQ(function->read(0, 4), 0x10048086u);
    EXPECT_EQ(function->read(2, 2), 0x1004u);
    EXPECT_EQ(function->read(1, 1), 0x80u);
    function->write(pci::command, 2, 0x406);
    EXPECT_EQ(hardware().get<u16>(pci::command), 0x406);
}

TEST_F(Function, WhatFirmwareLeftEnabledIsTurnedOff) {
    FakeFunction fake = device(bar, 4);
    fake.bytes[0x52] |= 1;
    fake.bytes[0x73] |= 0x80;
    plug(fake);
    EXPECT_EQ(hardware().bytes[0x52] & 1, 0);
    EXPECT_EQ(hardware().bytes[0x73] & 0x80, 0);
}

// ---- MSI

TEST_F(Function, MsiIsTranslated) {
    function->write(0x54, 4, guest.address);
    function->write(0x58, 4, 0);
    function->write(0x5c, 2, guest.data);
    EXPECT_THAT(machine.routes, IsEmpty());
    enable_msi();
    ASSERT_EQ(machine.routes.size(), 1u);
    EXPECT_EQ(machine.routes[1], guest);
    EXPECT_EQ(hardware().get<u32>(0x54), 0xfee00000u);
    EXPECT_EQ(hardware().get<u16>(0x5c), 0x1001u);
    EXPECT_EQ(hardware().bytes[0x52] & 0x71, 1);
    // dom0 reads what it wrote.
    EXPECT_EQ(function->read(0x54, 4), guest.address);
    EXPECT_EQ(function->read(0x5c, 2), guest.data);
    EXPECT_EQ(function->read(0x5d, 1), 0u);
    EXPECT_EQ(function->read(0x52, 2) & 1, 1u);
}

TEST_F(Function, MsiIsOfferedWithOneMessageOnly) {
    EXPECT_EQ(function->read(0x52, 2) & 0x7e, 0u);
    enable_msi(0x21);
    EXPECT_EQ(function->read(0x52, 2) & 0x71, 1u);
    EXPECT_EQ(hardware().bytes[0x52] & 0x70, 0);
}

TEST_F(Function, MsiFollowsWhenItsDestinationChanges) {
    enable_msi();
    function->write(0x54, 4, 0xfee04000);
    function->write(0x5c, 1, 0x42);
    EXPECT_EQ(machine.routes[1], (Message{0xfee04000, 0x42}));
    EXPECT_EQ(hardware().get<u32>(0x54), 0xfee00000u);
}

TEST_F(Function, MsiIsProgrammedAnewAfterAReset) {
    enable_msi();
    hardware().set<u32>(0x54, 0, ~u32{3});
    hardware().bytes[0x52] &= 0xfe;
    enable_msi();
    EXPECT_EQ(hardware().get<u32>(0x54), 0xfee00000u);
    EXPECT_EQ(hardware().bytes[0x52] & 1, 1);
    EXPECT_EQ(machine.routes.size(), 1u);
}

TEST_F(Function, MsiTurnedOffGivesItsVectorBack) {
    enable_msi();
    function->write(0x53, 1, 0);  // the other byte of the control word
    EXPECT_EQ(machine.routes.size(), 1u);
    enable_msi(0);
    EXPECT_THAT(machine.routes, IsEmpty());
    EXPECT_EQ(hardware().bytes[0x52] & 1, 0);
}

TEST_F(Function, MsiStaysOffWithoutAVector) {
    machine.routes_left = false;
    enable_msi();
    EXPECT_EQ(function->read(0x52, 2) & 1, 0u);
    EXPECT_EQ(hardware().bytes[0x52] & 1, 0);
}

TEST_F(Function, MsiMaskBitsReachTheDevice) {
    function->write(0x60, 4, 1);
    EXPECT_EQ(hardware().get<u32>(0x60), 1u);
    EXPECT_EQ(function->read(0x60, 4), 1u);
}

// ---- MSI-X

TEST_F(Function, ThePagesOfTheTableAreTrapped) {
    EXPECT_THAT(machine.trapped, ElementsAre(table));
    EXPECT_TRUE(function->traps(table));
    EXPECT_TRUE(function->traps(table + 0xfff));
    EXPECT_FALSE(function->traps(table - 1));
    EXPECT_FALSE(function->traps(table + 0x1000));
}

TEST_F(Function, MsixEntriesAreTranslatedWhenUnmasked) {
    enable_msix();
    write_entry(2, guest, true);
    EXPECT_THAT(machine.routes, IsEmpty());
    function->write_memory(table + 2 * 16 + 12, 4, 0);
    ASSERT_EQ(machine.routes.size(), 1u);
    EXPECT_EQ(machine.routes[1], guest);
    EXPECT_EQ(device_word(2, 0), 0xfee00000u);
    EXPECT_EQ(device_word(2, 2), 0x1001u);
    EXPECT_EQ(device_word(2, 3), 0u);
    EXPECT_EQ(function->read_memory(table + 2 * 16, 8), guest.address);
    EXPECT_EQ(function->read_memory(table + 2 * 16 + 8, 8), guest.data);
}

TEST_F(Function, EntriesUnmaskedBeforeMsixIsEnabledFollowThen) {
    write_entry(0, guest, false);
    EXPECT_THAT(machine.routes, IsEmpty());
    EXPECT_EQ(device_word(0, 3), 1u);
    enable_msix();
    EXPECT_EQ(machine.routes.size(), 1u);
    EXPECT_EQ(device_word(0, 3), 0u);
}

TEST_F(Function, MaskingKeepsTheVectorAndDisablingGivesItBack) {
    enable_msix();
    write_entry(1, guest, false);
    function->write_memory(table + 16 + 12, 4, 1);
    EXPECT_EQ(device_word(1, 3), 1u);
    EXPECT_EQ(machine.routes.size(), 1u);
    enable_msix(0);
    EXPECT_THAT(machine.routes, IsEmpty());
    EXPECT_EQ(hardware().bytes[0x73] & 0x80, 0);
}

TEST_F(Function, DisablingMasksTheDevicesEntries) {
    enable_msix();
    write_entry(1, guest, false);
    enable_msix(0);
    EXPECT_EQ(device_word(1, 3), 1u);
}

TEST_F(Function, AnEntryIsWrittenAnewAfterAReset) {
    enable_msix();
    write_entry(0, guest, false);
    machine.memory.clear();
    write_entry(0, guest, false);
    EXPECT_EQ(device_word(0, 0), 0xfee00000u);
    EXPECT_EQ(device_word(0, 2), 0x1001u);
    EXPECT_EQ(machine.routes.size(), 1u);
}

TEST_F(Function, WithoutAVectorTheEntryStaysMasked) {
    machine.routes_left = false;
    enable_msix();
    write_entry(0, guest, false);
    EXPECT_EQ(device_word(0, 3), 1u);
}

TEST_F(Function, MaskAllReachesTheDevice) {
    enable_msix(0xc000);
    EXPECT_EQ(hardware().bytes[0x73] & 0xc0, 0xc0);
    EXPECT_EQ(function->read(0x72, 2), 0xc003u);
}

TEST_F(Function, WhatElseIsOnTheTablesPageIsPassedThrough) {
    function->write_memory(table + 0x800, 4, 0x1234);
    EXPECT_EQ(machine.memory[table + 0x800], 0x1234u);
    EXPECT_EQ(function->read_memory(table + 0x800, 4), 0x1234u);
}

TEST_F(Function, OddAccessesToTheTableDoNothing) {
    function->write_memory(table + 2, 2, 0xffff);
    function->write_memory(table + 1, 1, 0xff);
    EXPECT_EQ(function->read_memory(table, 4), 0u);
    EXPECT_EQ(function->read_memory(table + 2, 2), ~u64{0});
}

TEST_F(Function, LongTablesAreShownInPart) {
    plug(device(bar, 300));
    EXPECT_EQ(function->read(0x72, 2) & 0x7ff, PciFunction::max_vectors - 1);
    EXPECT_EQ(machine.trapped.size(), 2u);
    enable_msix();
    write_entry(PciFunction::max_vectors, guest, false);
    EXPECT_THAT(machine.routes, IsEmpty());
    EXPECT_EQ(function->read_memory(table + PciFunction::max_vectors * 16 + 12, 4), 1u);
}

TEST_F(Function, TheTableIsFollowedWhenItsBarMoves) {
    enable_msix();
    write_entry(0, guest, false);
    function->write(pci::command, 2, 0);
    function->write(pci::bar0, 4, 0xfea00000);
    EXPECT_THAT(machine.trapped, ElementsAre(table));
    function->write(pci::command, 2, 2);
    EXPECT_THAT(machine.trapped, ElementsAre(0xfea01000));
    EXPECT_EQ(machine.shown.back(), (std::pair<u64, u64>{0xfea00000, 0x4000}));
    EXPECT_EQ(machine.memory[0xfea01000 + 8], 0x1001u);
    EXPECT_FALSE(function->traps(table));
}

TEST_F(Function, TheUpperHalfOfABarCounts) {
    function->write(pci::bar0 + 4, 4, 0x20);
    EXPECT_THAT(machine.trapped, ElementsAre(0x20'0000'0000 + table));
}

TEST_F(Function, SizingABarMovesNothing) {
    function->write(pci::bar0, 4, ~u32{0});
    EXPECT_EQ(function->read(pci::bar0, 4), 0xffffc004u);
    function->write(pci::bar0, 4, bar | 4);
    EXPECT_THAT(machine.trapped, ElementsAre(table));
}

TEST_F(Function, ATableOutsideOfItsBarIsNone) {
    FakeFunction fake = device(bar, 4);
    fake.set<u32>(0x74, 0x4000);
    plug(fake);
    EXPECT_THAT(machine.trapped, IsEmpty());
    fake.set<u32>(0x74, 0x1000 | 7);
    plug(fake);
    EXPECT_THAT(machine.trapped, IsEmpty());
}

TEST_F(Function, VirtualFunctionsStayOff) {
    FakeFunction fake = device(bar, 4);
    fake.set<u32>(0x100, 0x00010010);
    fake.set<u32>(0x108, 0, 0x1f);
    plug(fake);
    function->write(0x108, 2, 0x19);
    EXPECT_EQ(hardware().get<u16>(0x108), 0x18);
}

TEST_F(Function, ItsEndGivesEverythingBack) {
    enable_msi();
    enable_msix();
    write_entry(0, guest, false);
    write_entry(3, guest, false);
    EXPECT_EQ(machine.routes.size(), 3u);
    function.reset();
    EXPECT_THAT(machine.routes, IsEmpty());
    EXPECT_THAT(machine.trapped, IsEmpty());
}

/// Whatever dom0 writes wherever: the device never gets a message of dom0's, and no vector is lost.
TEST_F(Function, RandomAccessesNeverReachTheDevicesMessages) {
    u32 seed = 1;
    const auto random = [&] { return seed = seed * 1664525 + 1013904223, seed >> 8; };
    for (int i = 0; i < 200000; ++i) {
        const unsigned size = 1u << random() % 3;
        const u32 value = random() << 8 ^ random();
        if (random() % 2 == 0) {
            const u16 offset = static_cast<u16>(0x50 + random() % 0x30 / size * size);
            function->write(offset, size, value);
            (void)function->read(offset, size);
        } else {
            const u64 at = table + random() % 80 * 4;
            function->write_memory(at, 4, value);
            (void)function->read_memory(at, 4);
        }
        ASSERT_LE(machine.routes.size(), 5u);
        if ((hardware().bytes[0x52] & 1) != 0) {
            ASSERT_EQ(hardware().get<u32>(0x54), 0xfee00000u);
            ASSERT_GE(hardware().get<u16>(0x5c), 0x1000u);
        }
        for (u32 entry = 0; entry < 4; ++entry) {
            if (machine.memory.contains(table + entry * 16 + 12) && device_word(entry, 3) == 0) {
                ASSERT_EQ(device_word(entry, 0), 0xfee00000u);
                ASSERT_TRUE(machine.routes.contains(static_cast<u16>(device_word(entry, 2) - 0x1000)));
            }
        }
    }
}

}  // namespace
}  // namespace px::dom0
