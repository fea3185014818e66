// All functions together: who is there, who has gone, who is somebody else.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/pci.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "arch/memory.hpp"
#include "tests/unit/dom0/fake_pci.hpp"

namespace px::dom0 {
namespace {

constexpr u32 bar = 0xfeb00000;

struct Pci : testing::Test {
    FakePci machine;
    std::unique_ptr<VirtualPci> pci = std::make_unique<VirtualPci>(machine);

    void SetUp() override { arch::host_machine_start(); }

    static FakeFunction bridge(u8 secondary, u8 subordinate) {
        FakeFunction f;
        f.set<u32>(0, 0x00011b36);
        f.set<u8>(pci::header_type, 1);
        f.set<u32>(0x18, u32{subordinate} << 16 | u32{secondary} << 8, ~u32{0});
        return f;
    }
    void enable_msi(pci::Address address) { pci->write(address, 0x52, 2, 1); }
};

TEST_F(Pci, NobodyReadsAsOnes) {
    EXPECT_EQ(pci->read({0, 0, 1, 0}, 0, 4), ~u32{0});
    EXPECT_EQ(pci->read({0, 0, 1, 0}, 0, 2), 0xffffu);
    pci->write({0, 0, 1, 0}, 0x10, 4, 0);
    EXPECT_THAT(machine.shown, testing::IsEmpty());
}

TEST_F(Pci, UnalignedAccessesDoNothing) {
    const pci::Address address{0, 0, 3, 0};
    machine.functions[address] = device(bar, 4);
    EXPECT_EQ(pci->read(address, 2, 4), ~u32{0});
    EXPECT_EQ(pci->read(address, 0, 8), ~u32{0});
    EXPECT_EQ(pci->read(address, 0, 3), ~u32{0});
    EXPECT_EQ(pci->read(address, 4096, 4), ~u32{0});
    pci->write(address, 5, 2, 0);
    EXPECT_EQ(machine.functions[address].get<u16>(pci::command), 2);
}

TEST_F(Pci, TrappedPagesLeadToTheirFunction) {
    const pci::Address first{0, 0, 3, 0}, second{0, 0, 4, 0};
    machine.functions[first] = device(bar, 4);
    machine.functions[second] = device(bar + 0x4000, 4);
    (void)pci->read(first, 0, 4);
    (void)pci->read(second, 0, 4);
    ASSERT_NE(pci->trapping(bar + 0x5000), nullptr);
    EXPECT_EQ(pci->trapping(bar + 0x5000)->address(), second);
    EXPECT_EQ(pci->trapping(bar + 0x3000), nullptr);
}

TEST_F(Pci, AnotherDeviceInItsPlaceBeginsAnew) {
    const pci::Address address{0, 0, 3, 0};
    machine.functions[address] = device(bar, 4);
    enable_msi(address);
    ASSERT_EQ(machine.routes.size(), 1u);
    machine.functions[address].set<u16>(2, 0x9999);
    EXPECT_EQ(pci->read(address, 0, 4), 0x99998086u);
    EXPECT_THAT(machine.routes, testing::IsEmpty());
}

TEST_F(Pci, AResetThatDoesNotAnswerKeepsTheState) {
    const pci::Address address{0, 0, 3, 0};
    machine.functions[address] = device(bar, 4);
    enable_msi(address);
    const FakeFunction before = machine.functions[address];
    machine.functions.erase(address);
    EXPECT_EQ(pci->read(address, 0, 4), ~u32{0});
    machine.functions[address] = before;
    EXPECT_EQ(pci->read(address, 0x52, 2) & 1, 1u);
}

TEST_F(Pci, OtherBusNumbersForgetWhatWasBehindTheBridge) {
    const pci::Address at_bridge{0, 0, 1, 0}, behind{0, 2, 0, 0}, beside{0, 0, 3, 0};
    machine.functions[at_bridge] = bridge(2, 3);
    machine.functions[behind] = device(bar, 4);
    machine.functions[beside] = device(bar + 0x10000, 4);
    enable_msi(behind);
    enable_msi(beside);
    ASSERT_EQ(machine.routes.size(), 2u);
    pci->write(at_bridge, 0x18, 4, 0x00030200);
    EXPECT_EQ(machine.routes.size(), 2u);
    pci->write(at_bridge, 0x18, 4, 0x00060500);
    EXPECT_EQ(machine.routes.size(), 1u);
    EXPECT_EQ(pci->trapping(bar + 0x1000), nullptr);
    EXPECT_NE(pci->trapping(bar + 0x11000), nullptr);
}

TEST_F(Pci, TooManyFunctionsAreHidden) {
    FakeFunction plain;
    plain.set<u32>(0, 0x12341234);
    for (u32 i = 0; i <= VirtualPci::max_functions; ++i) {
        const auto address = pci::Address::from_bdf(0, static_cast<u16>(i));
        machine.functions[address] = plain;
        EXPECT_EQ(pci->read(address, 0, 4), i < VirtualPci::max_functions ? 0x12341234 : ~u32{0});
    }
}

}  // namespace
}  // namespace px::dom0
