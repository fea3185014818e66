// CPUs of several makes as CPUID tables: the leaves on which rules depend, with the values that such CPUs report. The last
// one is none: it sets every bit that CPUID has.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/x86/corpus.hpp"

namespace px::hvm {

Leaf Machine::query(u32 leaf, u32 subleaf) const {
    for (const CpuPolicy::Entry& entry : leaves) {
        if (entry.leaf == leaf && (entry.subleaf == CpuPolicy::no_subleaf || entry.subleaf == subleaf)) return entry.value;
    }
    return {};
}

CpuPolicy Machine::policy() const {
    return read_raw_policy([this](u32 leaf, u32 subleaf) { return query(leaf, subleaf); });
}

namespace {

constexpr u32 any = CpuPolicy::no_subleaf;
constexpr u32 intel_b = 0x756e6547, intel_c = 0x6c65746e, intel_d = 0x49656e69;  // "GenuineIntel"
constexpr u32 amd_b = 0x68747541, amd_c = 0x444d4163, amd_d = 0x69746e65;        // "AuthenticAMD"

Machine nehalem() {
    return {"Nehalem",
            {{0, any, {0xb, intel_b, intel_c, intel_d}},
             {1, any, {0x000106a5, 0x04100800, 0x009ce3bd, 0xbfebfbff}},
             {5, any, {0x40, 0x40, 3, 0x1120}},
             {6, any, {7, 2, 1, 0}},
             {0xa, any, {0x07300403, 4, 0, 0x603}},
             {0x80000000, any, {0x80000008, 0, 0, 0}},
             {0x80000001, any, {0, 0, 1, 0x28100800}},
             {0x80000007, any, {0, 0, 0, 0x100}},
             {0x80000008, any, {0x3028, 0, 0, 0}}}};
}

Machine skylake_server() {
    return {"Skylake server",
            {{0, any, {0x16, intel_b, intel_c, intel_d}},
             {1, any, {0x00050654, 0x04400800, 0x7ffefbff, 0xbfebfbff}},
             {5, any, {0x40, 0x40, 3, 0x2020}},
             {6, any, {0xef7, 2, 9, 0}},
             {7, 0, {0, 0xd39ffffb, 0x18, 0xbc000400}},
             {0xa, any, {0x07300404, 0, 0, 0x603}},
             {0xd, 0, {0x2ff, 0x340, 0xa88, 0}},
             {0xd, 1, {0xf, 0x340, 0x100, 0}},
             {0xd, 2, {256, 576, 0, 0}},
             {0xd, 3, {64, 960, 0, 0}},
             {0xd, 4, {64, 1024, 0, 0}},
             {0xd, 5, {64, 1088, 0, 0}},
             {0xd, 6, {512, 1152, 0, 0}},
             {0xd, 7, {1024, 1664, 0, 0}},
             {0xd, 8, {128, 0, 1, 0}},
             {0xd, 9, {8, 2688, 0, 0}},
             {0x14, 0, {1, 0xf, 7, 0}},
             {0x80000000, any, {0x80000008, 0, 0, 0}},
             {0x80000001, any, {0, 0, 0x121, 0x2c100800}},
             {0x80000007, any, {0, 0, 0, 0x100}},
             {0x80000008, any, {0x302e, 0, 0, 0}}}};
}

Machine ryzen() {
    return {"Ryzen (Zen)",
            {{0, any, {0xd, amd_b, amd_c, amd_d}},
             {1, any, {0x00800f11, 0x00100800, 0x7ed8320b, 0x178bfbff}},
             {5, any, {0x40, 0x40, 3, 0x11}},
             {6, any, {4, 0, 1, 0}},
             {7, 0, {0, 0x209c01a9, 0, 0}},
             {0xd, 0, {7, 0x340, 0x340, 0}},
             {0xd, 1, {0xf, 0x340, 0, 0}},
             {0xd, 2, {256, 576, 0, 0}},
             {0x80000000, any, {0x8000001f, amd_b, amd_c, amd_d}},
             {0x80000001, any, {0x00800f11, 0x20000000, 0x35c233ff, 0x2fd3fbff}},
             {0x80000007, any, {0, 0x1b, 0, 0x6599}},
             {0x80000008, any, {0x3030, 7, 0x400f, 0}},
             {0x8000000a, any, {1, 0x8000, 0, 0x1bcff}}}};
}

Machine epyc_milan() {
    return {"EPYC (Zen 3)",
            {{0, any, {0x10, amd_b, amd_c, amd_d}},
             {1, any, {0x00a00f11, 0x00800800, 0x7ef8320b, 0x178bfbff}},
             {5, any, {0x40, 0x40, 3, 0x11}},
             {6, any, {4, 0, 1, 0}},
             {7, 0, {0, 0x219c97a9, 0x0040069c, 0x10}},
             {0xd, 0, {0x207, 0x340, 0x988, 0}},
             {0xd, 1, {0xf, 0x340, 0x1800, 0}},
             {0xd, 2, {256, 576, 0, 0}},
             {0xd, 9, {8, 2432, 0, 0}},
             {0x10, 0, {0, 2, 0, 0}},
             {0x80000000, any, {0x80000023, amd_b, amd_c, amd_d}},
             {0x80000001, any, {0x00a00f11, 0x40000000, 0x75c237ff, 0x2fd3fbff}},
             {0x80000007, any, {0, 0x3b, 0, 0x6799}},
             {0x80000008, any, {0x3030, 0x191ef657, 0x707f, 0x10000}},
             {0x8000000a, any, {1, 0x8000, 0, 0x119b9cff}}}};
}

Machine everything() {
    Machine machine{"every bit", {{0, any, {0x20, amd_b, amd_c, amd_d}}, {0x80000000, any, {0x80000023, 0, 0, 0}}}};
    constexpr u32 all = ~u32{0};
    for (u32 leaf = 1; leaf <= 0x20; ++leaf) {
        if (leaf != 0xd) machine.leaves.push_back({leaf, any, {all, all, all, all}});
    }
    for (u32 i = 0; i < 2; ++i) machine.leaves.push_back({0xd, i, {all, all, all, all}});
    for (u32 i = 2; i < 32; ++i) machine.leaves.push_back({0xd, i, {64, 512 + 64 * i, 7, all}});
    for (u32 leaf = 0x80000001; leaf <= 0x80000023; ++leaf) machine.leaves.push_back({leaf, any, {all, all, all, all}});
    return machine;
}

}  // namespace

const std::vector<Machine>& corpus() {
    static const std::vector<Machine> machines{nehalem(), skylake_server(), ryzen(), epyc_milan(), everything()};
    return machines;
}

}  // namespace px::hvm
