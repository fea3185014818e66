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
    EXPECT_EQ(choose_mitigations(everything, all_wanted), (Mitigations{true, true, true}));
    EXPECT_EQ(choose_mitigations({.intel = true}, all_wanted), Mitigations{}) << "without microcode there is nothing to do it with";
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
    EXPECT_EQ(choose_mitigations(amd, all_wanted), (Mitigations{true, false, false}));
}

TEST(Mitigations, TheCommandLineTakesAway) {
    EXPECT_EQ(choose_mitigations(everything, {false, true, true}), (Mitigations{false, true, true}));
    EXPECT_EQ(choose_mitigations(everything, {true, false, true}), (Mitigations{true, false, true}));
    EXPECT_EQ(choose_mitigations(everything, {true, true, false}), (Mitigations{true, true, false}));
    EXPECT_FALSE((Mitigations{true, false, false}.at_entries()));
}

TEST(Mitigations, FactsStandInCpuid) {
    struct Answer {
        u32 eax, ebx, ecx, edx;
    };
    u32 seven = 1u << 26 | 1u << 29 | 1u << 10, eight = 0;
    const auto cpuid = [&](u32 leaf) {
        return leaf == 0 ? Answer{7, 0x756e6547, 0, 0} : leaf == 7 ? Answer{0, 0, 0, seven} : leaf == 0x80000000 ? Answer{0x80000008, 0, 0, 0} : Answer{0, eight, 0, 0};
    };
    const auto msr_value = [](u32 index) { return u64{index} << 32 | 5; };
    SpeculationFacts facts = SpeculationFacts::read(cpuid, msr_value);
    EXPECT_TRUE(facts.intel && facts.prediction_barrier && facts.verw_clears && !facts.l1d_flush);
    EXPECT_EQ(facts.arch_capabilities, u64{0x10a} << 32 | 5);
    seven = 0;
    eight = 1u << 12;
    facts = SpeculationFacts::read(cpuid, [](u32) -> u64 { throw "an MSR that isn't there"; });
    EXPECT_TRUE(facts.prediction_barrier) << "AMD's IBPB";
    EXPECT_FALSE(facts.verw_clears || facts.l1d_flush);
}

}  // namespace
}  // namespace px::arch
