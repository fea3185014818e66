// CPUID's topology for local APIC ids of 2 × vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/topology.hpp"

#include <gtest/gtest.h>

namespace px::builder {
namespace {

constexpr u32 none = abi::x86::cpuid_no_subleaf;

TEST(Topology, Amd) {
    control::CpuPolicy policy{{{0, none, 0x10, 0x68747541, 0, 0},
                               {1, none, 0, 4u << 16 | 8u << 8, 0, 0},
                               {0x80000001, none, 0, 0, 1u << 1 | 1u << 5, 0},
                               {0x80000008, none, 0, 0, 2u << 12 | 3, 0}},
                              {}};
    fit_topology(policy);
    EXPECT_EQ(policy.find(1)->b, 8u << 16 | 8u << 8);
    EXPECT_EQ(policy.find(1)->d, 1u << 28);
    EXPECT_EQ(policy.find(0x80000001)->c, 1u << 5);
    EXPECT_EQ(policy.find(0x80000008)->c, 3u << 12 | 7);
}

TEST(Topology, AmdWithoutWidthKeepsItSo) {
    control::CpuPolicy policy{{{0, none, 0, 0x68747541, 0, 0}, {0x80000008, none, 0, 0, 0x7f, 0}}, {}};
    fit_topology(policy);
    EXPECT_EQ(policy.find(0x80000008)->c, 0x7fu);  // full already
}

TEST(Topology, Intel) {
    control::CpuPolicy policy{{{0, none, 0, 0x756e6547, 0, 0},
                               {1, none, 0, 0x80u << 16, 0, 0},
                               {4, 0, 3u << 26 | 1u << 14 | 1, 0, 0, 0},
                               {4, 1, 0, 0, 0, 0},
                               {0x80000008, none, 0, 0, 3, 0}},
                              {}};
    fit_topology(policy);
    EXPECT_EQ(policy.find(1)->b, 0x80u << 16);  // would overflow
    EXPECT_EQ(policy.find(4, 0)->a, 7u << 26 | 1);
    EXPECT_EQ(policy.find(4, 1)->a, 0u);
    EXPECT_EQ(policy.find(0x80000008)->c, 3u);
}

}  // namespace
}  // namespace px::builder
