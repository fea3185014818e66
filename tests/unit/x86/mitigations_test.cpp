// Which mitigations of speculation a processor gets.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/mitigations.hpp"

#include <gtest/gtest.h>

namespace px::arch {
namespace {

constexpr cmdline::SpecCtrl all_wanted{};
constexpr SpeculationFacts everything{.prediction_barrier = true, .verw_clears = true, .l1d_flush = true, .intel = true};

TEST(Mitigations, OldProcessorsWithNewMicrocodeNeedAll) {
    EXPECT_EQ(choose_mitigations(everything, all_wanted), (Mitigations{true, true, true, OwnBranches::retpolines}));
    EXPECT_EQ(choose_mitigations({.intel = true}, all_wanted), (Mitigations{false, false, false, OwnBranches::retpolines}))
        << "without microcode there is nothing else to do it with";
}

TEST(Mitigations, ProcessorsSayWhatTheyAreFreeOf) {
    SpeculationFacts facts = everything;
    const auto with = [&](u64 capabilities) {
        facts.arch_capabilities = capabilities;
        return choose_mitigations(facts, all_wanted);
    };
    EXPECT_FALSE(with(1u << 0).flush_l1d) << "RDCL_NO";
    EXPECT_FALSE(with(1u << 3).flush_l1d) << "the hypervisor below does it";
    EXPECT_FALSE(with(1u << 5).clear_buffers) << "MDS_NO";
    EXPECT_TRUE(with(1u << 5 | 1u << 17).clear_buffers) << "but VERW is needed against stale data of MMIO";
    EXPECT_TRUE(with(~u64{0}).prediction_barrier);
}

TEST(Mitigations, OnlyIntelsLeakBuffersAndCaches) {
    SpeculationFacts amd = everything;
    amd.intel = false;
    EXPECT_EQ(choose_mitigations(amd, all_wanted), (Mitigations{true, false, false, OwnBranches::retpolines}));
}

/// What guests trained doesn't steer our own branches: by the processor where it can, at no cost, else by retpolines.
TEST(Mitigations, OwnBranches) {
    constexpr u64 ibrs_all = 1u << 1;
    const SpeculationFacts intel{.intel = true, .speculation_control = true, .arch_capabilities = ibrs_all}, amd{.automatic_ibrs = true};
    EXPECT_EQ(choose_branches(intel, all_wanted), OwnBranches::enhanced_ibrs);
    EXPECT_EQ(choose_branches(amd, all_wanted), OwnBranches::automatic_ibrs);
    EXPECT_EQ(choose_branches({.intel = true, .speculation_control = true}, all_wanted), OwnBranches::retpolines)
        << "IBRS at each exit is dear";
    for (const SpeculationFacts& facts : {intel, amd}) {
        EXPECT_EQ(choose_branches(facts, {.ibrs = false}), OwnBranches::retpolines);
        EXPECT_EQ(choose_branches(facts, {.ibrs = false, .branches = cmdline::BranchThunk::jump}), OwnBranches::plain);
        EXPECT_EQ(choose_branches(facts, {.branches = cmdline::BranchThunk::retpoline}), OwnBranches::retpolines);
    }
    EXPECT_EQ(choose_branches({}, {.branches = cmdline::BranchThunk::jump}), OwnBranches::plain);
}

TEST(Mitigations, TheCommandLineTakesAway) {
    const auto with = [](cmdline::SpecCtrl wanted) {
        wanted.branches = cmdline::BranchThunk::jump;
        return choose_mitigations(everything, wanted);
    };
    EXPECT_EQ(with({.ibpb = false}), (Mitigations{false, true, true}));
    EXPECT_EQ(with({.verw = false}), (Mitigations{true, false, true}));
    EXPECT_EQ(with({.l1d_flush = false}), (Mitigations{true, true, false}));
    EXPECT_FALSE((Mitigations{true, false, false}.at_entries()));
}

TEST(Mitigations, FactsStandInCpuid) {
    struct Answer {
        u32 eax, ebx, ecx, edx;
    };
    u32 seven = 1u << 26 | 1u << 29 | 1u << 10, eight = 0, last = 0x80000008;
    const auto cpuid = [&](u32 leaf) {
        return leaf == 0            ? Answer{7, 0x756e6547, 0, 0}
               : leaf == 7          ? Answer{0, 0, 0, seven}
               : leaf == 0x80000000 ? Answer{last, 0, 0, 0}
               : leaf == 0x80000021 ? Answer{1u << 8, 0, 0, 0}
                                    : Answer{0, eight, 0, 0};
    };
    const auto msr_value = [](u32 index) { return u64{index} << 32 | 5; };
    SpeculationFacts facts = SpeculationFacts::read(cpuid, msr_value);
    EXPECT_TRUE(facts.intel && facts.prediction_barrier && facts.verw_clears && !facts.l1d_flush);
    EXPECT_TRUE(facts.speculation_control && !facts.automatic_ibrs);
    EXPECT_EQ(facts.arch_capabilities, u64{0x10a} << 32 | 5);
    seven = 0;
    eight = 1u << 12;
    facts = SpeculationFacts::read(cpuid, [](u32) -> u64 { throw "an MSR that isn't there"; });
    EXPECT_TRUE(facts.prediction_barrier) << "AMD's IBPB";
    EXPECT_FALSE(facts.automatic_ibrs);
    last = 0x80000021;
    EXPECT_TRUE(SpeculationFacts::read(cpuid, [](u32) -> u64 { return 0; }).automatic_ibrs);
    EXPECT_FALSE(facts.verw_clears || facts.l1d_flush);
}

}  // namespace
}  // namespace px::arch
