// What is asked of VT-x on the processors that there are.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "arch/x86/vmx/errata.hpp"
#include "arch/x86/vmx/owed_flush.hpp"
#include "tests/unit/x86/vmx_corpus.hpp"

namespace px::vmx {
namespace {

TEST(Negotiation, TakesWhatMustBeAndWhatIsWantedAndThere) {
    constexpr u64 msr = may(0b1111'0110) | 0b0001'0010;
    EXPECT_EQ(negotiate(msr, 0b0010'0000, 0b1000'1001).value, 0b1011'0010u);
    EXPECT_EQ(negotiate(msr, 0b0010'0000, 0b1000'1001).missing, 0u);
    EXPECT_EQ(negotiate(msr, 0b0010'1001, 0).missing, 0b1001u);
    EXPECT_EQ(negotiate(0, 0, ~0u).value, 0u);
}

void expect_within(u32 value, u64 plain, u64 exact, bool has_exact, std::string_view what) {
    const u64 msr = has_exact ? exact : plain;
    EXPECT_EQ(static_cast<u32>(msr) & ~value, 0u) << what << ": a bit that must be set";
    EXPECT_EQ(value & ~static_cast<u32>(msr >> 32), 0u) << what << ": a bit that must be clear";
}

TEST(Corpus, EveryProcessorGetsControlsThatItTakesOrASentence) {
    for (const Specimen& one : corpus) {
        SCOPED_TRACE(one.name);
        const auto setup = choose_setup(one.msrs);
        if (!one.refused.empty()) {
            ASSERT_FALSE(setup.ok());
            EXPECT_NE(setup.error().find(one.refused), std::string_view::npos) << setup.error();
            continue;
        }
        ASSERT_TRUE(setup.ok()) << setup.error();
        const Controls& controls = setup->controls;
        const bool exact = one.msrs.has_true_controls();
        expect_within(controls.pin, one.msrs.pin, one.msrs.true_pin, exact, "pin");
        expect_within(controls.primary, one.msrs.primary, one.msrs.true_primary, exact, "primary");
        expect_within(controls.secondary, one.msrs.secondary, one.msrs.secondary, false, "secondary");
        expect_within(controls.exit, one.msrs.exit, one.msrs.true_exit, exact, "exit");
        expect_within(controls.entry, one.msrs.entry, one.msrs.true_entry, exact, "entry");
        EXPECT_EQ(setup->revision, one.msrs.revision());
        constexpr u32 second_level = secondary::ept | secondary::unrestricted_guest;
        EXPECT_EQ(controls.secondary & second_level, second_level);
        EXPECT_EQ(controls.primary & (primary::cr3_load | primary::cr3_store | primary::invlpg | primary::rdtsc | primary::pause), 0u);
        EXPECT_EQ((controls.secondary & secondary::vpid) != 0, setup->abilities.vpid);
        EXPECT_EQ((controls.primary & primary::tpr_shadow) != 0, (controls.primary & primary::cr8_load) == 0);
        EXPECT_EQ(controls.entry & entry_control::long_mode, 0u) << "follows the guest";
        // Until they are set up per vCPU.
        EXPECT_EQ(
            controls.secondary & (secondary::apic_accesses | secondary::x2apic | secondary::apic_registers | secondary::virtual_interrupts),
            0u);
        EXPECT_EQ(controls.pin & (pin::posted_interrupts | pin::preemption_timer), 0u);
    }
}

const Specimen& named(std::string_view name) {
    for (const Specimen& one : corpus) {
        if (one.name == name) return one;
    }
    throw std::out_of_range("no such specimen");
}
Abilities abilities_of(std::string_view name) { return choose_setup(named(name).msrs)->abilities; }

TEST(Corpus, AbilitiesFollowTheGenerations) {
    const Abilities sandy = abilities_of("Core i7-3960X (Sandy Bridge-E)");
    EXPECT_TRUE(sandy.vpid && sandy.tpr_shadow && sandy.apic_access && sandy.ept_2m && sandy.preemption_timer);
    EXPECT_FALSE(sandy.ept_1g || sandy.apic_registers || sandy.virtual_interrupts || sandy.posted_interrupts || sandy.invpcid);
    const Abilities ivy = abilities_of("Ivy Bridge-EP");
    EXPECT_TRUE(ivy.apic_registers && ivy.virtual_interrupts && ivy.posted_interrupts && ivy.ept_1g && ivy.invpcid);
    EXPECT_FALSE(ivy.ept_accessed_dirty || ivy.tsc_scaling || ivy.xsaves);
    const Abilities skylake = abilities_of("Skylake-SP");
    EXPECT_TRUE(skylake.ept_accessed_dirty && skylake.tsc_scaling && skylake.xsaves && skylake.pause_loop);
    const Abilities nested = abilities_of("nested, few abilities");
    EXPECT_FALSE(nested.vpid) << "one whose translations can't be flushed";
    EXPECT_TRUE(nested.flush.ept_single && nested.flush.ept_all);
}

TEST(Corpus, OnlyMsrsThatExistAreRead) {
    const auto indices = [](const CapabilityMsrs& msrs) {
        std::vector<u32> read;
        const u64* const values = &msrs.basic;
        const CapabilityMsrs copy = CapabilityMsrs::read([&](u32 index) {
            read.push_back(index);
            return values[index - CapabilityMsrs::first_index];
        });
        EXPECT_EQ(copy.basic, msrs.basic);
        EXPECT_EQ(copy.true_entry, msrs.true_entry);
        EXPECT_EQ(copy.ept_vpid, msrs.ept_vpid);
        return read;
    };
    EXPECT_EQ(indices(named("Core 2 Duo (Merom)").msrs).size(), 11u) << "neither 48bh nor beyond";
    EXPECT_EQ(indices(named("Skylake-SP").msrs).size(), 17u);
}

// [intel/sdm3 27.2.1.1]
TEST(Corpus, ControlsOfApicsAreOnesThatAnEntryTakes) {
    for (const Specimen& one : corpus) {
        if (!one.refused.empty()) continue;
        SCOPED_TRACE(one.name);
        const auto setup = choose_setup(one.msrs);
        ASSERT_TRUE(setup.ok());
        for (const ApicMode mode : {ApicMode::off, ApicMode::xapic, ApicMode::x2apic}) {
            const u32 controls = apic_controls(setup->abilities, mode);
            EXPECT_EQ(controls & ~setup->optional_secondary, 0u);
            const bool accesses = (controls & secondary::apic_accesses) != 0, x2 = (controls & secondary::x2apic) != 0;
            EXPECT_FALSE(accesses && x2);
            EXPECT_TRUE(!x2 || mode == ApicMode::x2apic);
            EXPECT_TRUE(!accesses || mode != ApicMode::x2apic);
            EXPECT_TRUE(controls == 0 || (setup->controls.primary & primary::tpr_shadow) != 0);
            EXPECT_TRUE((controls & secondary::virtual_interrupts) == 0 || (setup->controls.pin & pin::external_interrupt) != 0);
            EXPECT_EQ((controls & secondary::virtual_interrupts) != 0, (controls & secondary::apic_registers) != 0);
            if (posting_controls(setup->abilities, controls) == 0) continue;
            EXPECT_NE(controls & secondary::virtual_interrupts, 0u);
            EXPECT_NE(setup->controls.exit & exit_control::acknowledge_interrupt, 0u);
            EXPECT_TRUE(setup->abilities.posted_interrupts);
        }
    }
    const Abilities skylake = abilities_of("Skylake-SP"), sandy = abilities_of("Core i7-3960X (Sandy Bridge-E)");
    constexpr u32 delivery = secondary::apic_registers | secondary::virtual_interrupts;
    EXPECT_EQ(apic_controls(skylake, ApicMode::xapic), secondary::apic_accesses | delivery);
    EXPECT_EQ(apic_controls(skylake, ApicMode::x2apic), secondary::x2apic | delivery);
    EXPECT_EQ(apic_controls(sandy, ApicMode::xapic), u32{secondary::apic_accesses});
    EXPECT_EQ(apic_controls(abilities_of("nested, few abilities"), ApicMode::xapic), 0u);
}

TEST(X2Registers, AreLeftToTheProcessorAsFarAsItKnowsThem) {
    constexpr u32 priority_only = secondary::x2apic, all = priority_only | secondary::apic_registers | secondary::virtual_interrupts;
    for (u32 offset = 0; offset < 0x400; offset += 16) {
        EXPECT_FALSE(reads_x2_register(secondary::apic_accesses, offset) || writes_x2_register(secondary::apic_accesses, offset));
        EXPECT_EQ(reads_x2_register(priority_only, offset), offset == 0x80u) << std::hex << offset;
        EXPECT_EQ(writes_x2_register(priority_only, offset), offset == 0x80u) << std::hex << offset;
        EXPECT_EQ(writes_x2_register(all, offset), offset == 0x80 || offset == 0xb0 || offset == 0x3f0) << std::hex << offset;
    }
    EXPECT_TRUE(reads_x2_register(all, 0x20) && reads_x2_register(all, 0x100) && reads_x2_register(all, 0x380));
    EXPECT_FALSE(reads_x2_register(all, 0x390)) << "the count that is left is nowhere but in the clock";
    EXPECT_FALSE(reads_x2_register(all, 0x300)) << "64 bits, which the page holds apart";
    EXPECT_FALSE(reads_x2_register(all, 0xb0)) << "#GP";
}

TEST(Errata, LargeCodeIsUnsafeOnBigCoresThatDoNotSayOtherwise) {
    constexpr u32 skylake_sp = 0x50654, comet_lake = 0xa0652, goldmont = 0x506c9, ice_lake_sp = 0x606a6;
    constexpr u64 not_affected = 1u << 6;
    EXPECT_TRUE(large_code_is_unsafe(skylake_sp, 0));
    EXPECT_TRUE(large_code_is_unsafe(comet_lake, ~not_affected));
    EXPECT_FALSE(large_code_is_unsafe(goldmont, 0));
    EXPECT_FALSE(large_code_is_unsafe(ice_lake_sp, not_affected));
}

TEST(FeatureControl, IsUnderstood) {
    EXPECT_EQ(read_feature_control(0), FeatureControl::unlocked);
    EXPECT_EQ(read_feature_control(4), FeatureControl::unlocked);
    EXPECT_EQ(read_feature_control(1), FeatureControl::locked_off);
    EXPECT_EQ(read_feature_control(3), FeatureControl::locked_off) << "inside SMX only";
    EXPECT_EQ(read_feature_control(5), FeatureControl::enabled);
}

/// Notes the instructions.
struct Recorder {
    std::vector<std::pair<u64, u64>> epts, vpids;
    void invept(u64 type, u64 pointer) { epts.emplace_back(type, pointer); }
    void invvpid(u64 type, u16 vpid) { vpids.emplace_back(type, vpid); }
};
using Calls = std::vector<std::pair<u64, u64>>;
constexpr FlushAbilities everything{true, true, true, true}, singles{true, false, true, false}, alls{false, true, false, true};

TEST(OwedFlush, ASettledOneUsesWhatTheProcessorHas) {
    Recorder recorder;
    OwedFlush::none().settle(everything, 0x1000, 5, recorder);
    EXPECT_TRUE(recorder.epts.empty() && recorder.vpids.empty());
    OwedFlush::physmap().settle(everything, 0x101e, 5, recorder);
    OwedFlush::physmap().settle(alls, 0x101e, 5, recorder);
    EXPECT_EQ(recorder.epts, (Calls{{1, 0x101e}, {2, 0}}));
    EXPECT_TRUE(recorder.vpids.empty()) << "INVEPT drops translations of every VPID";
    OwedFlush::given_vpid(everything, true).settle(everything, 0x101e, 5, recorder);
    OwedFlush::given_vpid(singles, false).settle(singles, 0x101e, 6, recorder);
    EXPECT_EQ(recorder.vpids, (Calls{{2, 0}, {1, 6}}));
}

TEST(OwedFlush, AFreshVpidOwesNothingWhereAllWereFlushedTogether) {
    EXPECT_TRUE(OwedFlush::given_vpid(everything, false).nothing());
    EXPECT_FALSE(OwedFlush::given_vpid(everything, true).nothing());
    EXPECT_FALSE(OwedFlush::given_vpid(singles, false).nothing()) << "each one when it is given";
    const OwedFlush both = OwedFlush::physmap() | OwedFlush::given_vpid(everything, true);
    Recorder recorder;
    both.settle(everything, 0x101e, 1, recorder);
    EXPECT_EQ(recorder.epts.size() + recorder.vpids.size(), 2u);
}

}  // namespace
}  // namespace px::vmx
