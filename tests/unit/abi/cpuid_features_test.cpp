// ABI comparison: the names and places of CPUID features.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/x86/cpuid_features.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace px::abi::x86 {
namespace {

struct Named {
    const char* name;
    unsigned number;  ///< word × 32 + bit
};
constexpr Named public_features[] = {
#define XEN_CPUFEATURE(name, value) {#name, value},
#include <xen/arch-x86/cpufeatureset.h>
};

/// Where the words of a feature set come from. Words 16 and 17 are an MSR.
const std::map<unsigned, CpuidRegister> words = {
    {0, {0x1, cpuid_no_subleaf, CpuidRegister::edx}},
    {1, {0x1, cpuid_no_subleaf, CpuidRegister::ecx}},
    {2, {0x80000001, cpuid_no_subleaf, CpuidRegister::edx}},
    {3, {0x80000001, cpuid_no_subleaf, CpuidRegister::ecx}},
    {4, {0xd, 1, CpuidRegister::eax}},
    {5, {0x7, 0, CpuidRegister::ebx}},
    {6, {0x7, 0, CpuidRegister::ecx}},
    {7, {0x80000007, cpuid_no_subleaf, CpuidRegister::edx}},
    {8, {0x80000008, cpuid_no_subleaf, CpuidRegister::ebx}},
    {9, {0x7, 0, CpuidRegister::edx}},
    {10, {0x7, 1, CpuidRegister::eax}},
    {11, {0x80000021, cpuid_no_subleaf, CpuidRegister::eax}},
    {12, {0x7, 1, CpuidRegister::ebx}},
    {13, {0x7, 2, CpuidRegister::edx}},
    {14, {0x7, 1, CpuidRegister::ecx}},
    {15, {0x7, 1, CpuidRegister::edx}},
    {18, {0x80000021, cpuid_no_subleaf, CpuidRegister::ecx}},
};

TEST(CpuidFeatures, AreThePublicHeaders) {
    unsigned compared = 0;
    for (const Named& known : public_features) {
        const auto word = words.find(known.number / 32);
        if (word == words.end()) continue;
        std::string name = known.name;
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return c == '_' ? '-' : std::tolower(c); });
        const CpuidFeature* const ours = find_cpuid_feature(name);
        ASSERT_NE(ours, nullptr) << name;
        EXPECT_EQ(ours->where, word->second) << name;
        EXPECT_EQ(ours->bit, known.number % 32) << name;
        ++compared;
    }
    EXPECT_GT(compared, 150u);
}

TEST(CpuidFeatures, HaveTheirNamesOnce) {
    for (const CpuidFeature& feature : cpuid_features) EXPECT_EQ(find_cpuid_feature(feature.name), &feature) << feature.name;
}

}  // namespace
}  // namespace px::abi::x86
