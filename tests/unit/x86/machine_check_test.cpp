// The banks of machine checks, over MSRs of a map.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/machine_check_banks.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace px::arch {
namespace {

struct FakeMsrs {
    std::map<u32, u64>* values;
    u64 read(u32 index) const { return values->at(index); }  // throws where the processor has none
    void write(u32 index, u64 value) { values->at(index) = value; }
};

constexpr u32 capabilities = 0x179, global_status = 0x17a, global_control = 0x17b;

/// A CPU with `count` banks.
struct Cpu {
    explicit Cpu(unsigned count, u64 flags = 0) {
        msrs = {{capabilities, count | flags}, {global_status, 0}};
        if ((flags & 1u << 8) != 0) msrs[global_control] = 0;
        for (u32 i = 0; i < std::min(count, 32u) * 4; ++i) msrs[0x400 + i] = 0;
    }
    void note(unsigned bank, u64 status, u64 address = 0, u64 misc = 0) {
        msrs[0x401 + 4 * bank] = status;
        msrs[0x402 + 4 * bank] = address;
        msrs[0x403 + 4 * bank] = misc;
    }
    std::vector<HardwareError> errors() {
        std::vector<HardwareError> found;
        banks().for_each_error([&](const HardwareError& error) { found.push_back(error); });
        return found;
    }
    MachineCheckBanks<FakeMsrs> banks() { return MachineCheckBanks(FakeMsrs{&msrs}); }
    std::map<u32, u64> msrs;
};

constexpr u64 corrected = HardwareError::valid | HardwareError::address_valid | 0x0151;
constexpr u64 uncorrected = HardwareError::valid | HardwareError::uncorrected | HardwareError::misc_valid | 0x0175;

TEST(MachineCheckBanks, TurnsOnEveryBankAndTheControlOfAllWhereThereIsOne) {
    Cpu plain(3), controlled(2, 1u << 8), none(0);
    plain.banks().turn_on(false);
    for (u32 bank = 0; bank < 3; ++bank) EXPECT_EQ(plain.msrs[0x400 + 4 * bank], ~u64{0});
    controlled.banks().turn_on(true);
    EXPECT_EQ(controlled.msrs[global_control], ~u64{0});
    EXPECT_EQ(controlled.msrs[0x400], 0u) << "the firmware's";
    EXPECT_EQ(controlled.msrs[0x404], ~u64{0});
    none.banks().turn_on(true);
    EXPECT_TRUE(none.errors().empty());
}

/// A count beyond what the MSRs' addresses hold comes from a hypervisor below or a broken CPU.
TEST(MachineCheckBanks, AtMostAsManyAsHaveAddresses) {
    Cpu many(255);
    EXPECT_EQ(many.banks().count(), 32u);
    many.banks().turn_on(false);  // the fake throws at a register that isn't there
    EXPECT_TRUE(many.errors().empty());
}

TEST(MachineCheckBanks, ReadsWhatABankSaysIsValid) {
    Cpu cpu(4);
    cpu.note(1, corrected, 0x1234000, 77);
    cpu.note(2, 0x0151, 0x9999);  // not valid
    cpu.note(3, uncorrected | HardwareError::overflow, 0x5678000, 5);
    const auto errors = cpu.errors();
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].bank, 1u);
    EXPECT_EQ(errors[0].address, 0x1234000u);
    EXPECT_EQ(errors[0].misc, 0u) << "stale where its flag is clear";
    EXPECT_EQ(errors[0].severity(), "corrected");
    EXPECT_EQ(errors[0].others(), "");
    EXPECT_EQ(errors[0].code(), 0x151);
    EXPECT_EQ(errors[1].bank, 3u);
    EXPECT_EQ(errors[1].address, 0u);
    EXPECT_EQ(errors[1].misc, 5u);
    EXPECT_EQ(errors[1].severity(), "uncorrected");
    EXPECT_NE(errors[1].others(), "");
    cpu.banks().clear(1);
    EXPECT_EQ(cpu.errors().size(), 1u);
}

TEST(MachineCheckBanks, FatalIsWhatWasNotCorrectedOrCantBeRestarted) {
    Cpu cpu(2);
    EXPECT_TRUE(cpu.banks().is_fatal()) << "not restartable";
    cpu.msrs[global_status] = 5;
    EXPECT_FALSE(cpu.banks().is_fatal()) << "another CPU's";
    cpu.note(0, corrected);
    EXPECT_FALSE(cpu.banks().is_fatal());
    cpu.note(1, uncorrected);
    EXPECT_TRUE(cpu.banks().is_fatal());
    cpu.banks().end_exception();
    EXPECT_EQ(cpu.msrs[global_status], 0u);
}

}  // namespace
}  // namespace px::arch
