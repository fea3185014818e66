// The names of CPUID feature bits, and where each one is.
//
// Names are those of the public header in small letters with '-' for '_' [xen/public arch-x86/cpufeatureset.h], and the
// older names that the reference's tools still take.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/abi/x86/domain.hpp"

namespace px::abi::x86 {

struct CpuidRegister {
    enum Name : u8 { eax, ebx, ecx, edx };

    u32 leaf = 0;
    u32 subleaf = cpuid_no_subleaf;  ///< cpuid_no_subleaf: the leaf has none, or any
    Name name = eax;

    bool operator==(const CpuidRegister&) const = default;
};

struct CpuidFeature {
    std::string_view name;
    CpuidRegister where;
    u8 bit;
};

namespace cpuid_table {

using enum CpuidRegister::Name;
inline constexpr CpuidRegister leaf1_edx{0x1, cpuid_no_subleaf, edx};
inline constexpr CpuidRegister leaf1_ecx{0x1, cpuid_no_subleaf, ecx};
inline constexpr CpuidRegister extended1_edx{0x80000001, cpuid_no_subleaf, edx};
inline constexpr CpuidRegister extended1_ecx{0x80000001, cpuid_no_subleaf, ecx};
inline constexpr CpuidRegister leafd_1_eax{0xd, 1, eax};
inline constexpr CpuidRegister leaf7_ebx{0x7, 0, ebx};
inline constexpr CpuidRegister leaf7_ecx{0x7, 0, ecx};
inline constexpr CpuidRegister extended7_edx{0x80000007, cpuid_no_subleaf, edx};
inline constexpr CpuidRegister extended8_ebx{0x80000008, cpuid_no_subleaf, ebx};
inline constexpr CpuidRegister leaf7_edx{0x7, 0, edx};
inline constexpr CpuidRegister leaf7_1_eax{0x7, 1, eax};
inline constexpr CpuidRegister extended21_eax{0x80000021, cpuid_no_subleaf, eax};
inline constexpr CpuidRegister leaf7_1_ebx{0x7, 1, ebx};
inline constexpr CpuidRegister leaf7_2_edx{0x7, 2, edx};
inline constexpr CpuidRegister leaf7_1_edx{0x7, 1, edx};
inline constexpr CpuidRegister extended21_ecx{0x80000021, cpuid_no_subleaf, ecx};
inline constexpr CpuidRegister leaf6_eax{0x6, cpuid_no_subleaf, eax};
inline constexpr CpuidRegister svm_edx{0x8000000a, cpuid_no_subleaf, edx};

inline constexpr CpuidFeature cpuid_features[] = {
    {"fpu", leaf1_edx, 0},
    {"vme", leaf1_edx, 1},
    {"de", leaf1_edx, 2},
    {"pse", leaf1_edx, 3},
    {"tsc", leaf1_edx, 4},
    {"msr", leaf1_edx, 5},
    {"pae", leaf1_edx, 6},
    {"mce", leaf1_edx, 7},
    {"cx8", leaf1_edx, 8},
    {"apic", leaf1_edx, 9},
    {"sep", leaf1_edx, 11},
    {"mtrr", leaf1_edx, 12},
    {"pge", leaf1_edx, 13},
    {"mca", leaf1_edx, 14},
    {"cmov", leaf1_edx, 15},
    {"pat", leaf1_edx, 16},
    {"pse36", leaf1_edx, 17},
    {"clfsh", leaf1_edx, 19},
    {"ds", leaf1_edx, 21},
    {"acpi", leaf1_edx, 22},
    {"mmx", leaf1_edx, 23},
    {"fxsr", leaf1_edx, 24},
    {"sse", leaf1_edx, 25},
    {"sse2", leaf1_edx, 26},
    {"ss", leaf1_edx, 27},
    {"htt", leaf1_edx, 28},
    {"tm1", leaf1_edx, 29},
    {"pbe", leaf1_edx, 31},
    {"sse3", leaf1_ecx, 0},
    {"pclmulqdq", leaf1_ecx, 1},
    {"dtes64", leaf1_ecx, 2},
    {"monitor", leaf1_ecx, 3},
    {"dscpl", leaf1_ecx, 4},
    {"vmx", leaf1_ecx, 5},
    {"smx", leaf1_ecx, 6},
    {"eist", leaf1_ecx, 7},
    {"tm2", leaf1_ecx, 8},
    {"ssse3", leaf1_ecx, 9},
    {"fma", leaf1_ecx, 12},
    {"cx16", leaf1_ecx, 13},
    {"xtpr", leaf1_ecx, 14},
    {"pdcm", leaf1_ecx, 15},
    {"pcid", leaf1_ecx, 17},
    {"dca", leaf1_ecx, 18},
    {"sse4-1", leaf1_ecx, 19},
    {"sse4-2", leaf1_ecx, 20},
    {"x2apic", leaf1_ecx, 21},
    {"movbe", leaf1_ecx, 22},
    {"popcnt", leaf1_ecx, 23},
    {"tsc-deadline", leaf1_ecx, 24},
    {"aesni", leaf1_ecx, 25},
    {"xsave", leaf1_ecx, 26},
    {"osxsave", leaf1_ecx, 27},
    {"avx", leaf1_ecx, 28},
    {"f16c", leaf1_ecx, 29},
    {"rdrand", leaf1_ecx, 30},
    {"hypervisor", leaf1_ecx, 31},
    {"syscall", extended1_edx, 11},
    {"nx", extended1_edx, 20},
    {"mmxext", extended1_edx, 22},
    {"ffxsr", extended1_edx, 25},
    {"page1gb", extended1_edx, 26},
    {"rdtscp", extended1_edx, 27},
    {"lm", extended1_edx, 29},
    {"3dnowext", extended1_edx, 30},
    {"3dnow", extended1_edx, 31},
    {"lahf-lm", extended1_ecx, 0},
    {"cmp-legacy", extended1_ecx, 1},
    {"svm", extended1_ecx, 2},
    {"extapic", extended1_ecx, 3},
    {"cr8-legacy", extended1_ecx, 4},
    {"abm", extended1_ecx, 5},
    {"sse4a", extended1_ecx, 6},
    {"misalignsse", extended1_ecx, 7},
    {"3dnowprefetch", extended1_ecx, 8},
    {"osvw", extended1_ecx, 9},
    {"ibs", extended1_ecx, 10},
    {"xop", extended1_ecx, 11},
    {"skinit", extended1_ecx, 12},
    {"wdt", extended1_ecx, 13},
    {"lwp", extended1_ecx, 15},
    {"fma4", extended1_ecx, 16},
    {"nodeid-msr", extended1_ecx, 19},
    {"tbm", extended1_ecx, 21},
    {"topoext", extended1_ecx, 22},
    {"dbext", extended1_ecx, 26},
    {"monitorx", extended1_ecx, 29},
    {"xsaveopt", leafd_1_eax, 0},
    {"xsavec", leafd_1_eax, 1},
    {"xgetbv1", leafd_1_eax, 2},
    {"xsaves", leafd_1_eax, 3},
    {"fsgsbase", leaf7_ebx, 0},
    {"tsc-adjust", leaf7_ebx, 1},
    {"sgx", leaf7_ebx, 2},
    {"bmi1", leaf7_ebx, 3},
    {"hle", leaf7_ebx, 4},
    {"avx2", leaf7_ebx, 5},
    {"fdp-excp-only", leaf7_ebx, 6},
    {"smep", leaf7_ebx, 7},
    {"bmi2", leaf7_ebx, 8},
    {"erms", leaf7_ebx, 9},
    {"invpcid", leaf7_ebx, 10},
    {"rtm", leaf7_ebx, 11},
    {"pqm", leaf7_ebx, 12},
    {"no-fpu-sel", leaf7_ebx, 13},
    {"mpx", leaf7_ebx, 14},
    {"pqe", leaf7_ebx, 15},
    {"avx512f", leaf7_ebx, 16},
    {"avx512dq", leaf7_ebx, 17},
    {"rdseed", leaf7_ebx, 18},
    {"adx", leaf7_ebx, 19},
    {"smap", leaf7_ebx, 20},
    {"avx512-ifma", leaf7_ebx, 21},
    {"clflushopt", leaf7_ebx, 23},
    {"clwb", leaf7_ebx, 24},
    {"proc-trace", leaf7_ebx, 25},
    {"avx512pf", leaf7_ebx, 26},
    {"avx512er", leaf7_ebx, 27},
    {"avx512cd", leaf7_ebx, 28},
    {"sha", leaf7_ebx, 29},
    {"avx512bw", leaf7_ebx, 30},
    {"avx512vl", leaf7_ebx, 31},
    {"prefetchwt1", leaf7_ecx, 0},
    {"avx512-vbmi", leaf7_ecx, 1},
    {"umip", leaf7_ecx, 2},
    {"pku", leaf7_ecx, 3},
    {"ospke", leaf7_ecx, 4},
    {"avx512-vbmi2", leaf7_ecx, 6},
    {"cet-ss", leaf7_ecx, 7},
    {"gfni", leaf7_ecx, 8},
    {"vaes", leaf7_ecx, 9},
    {"vpclmulqdq", leaf7_ecx, 10},
    {"avx512-vnni", leaf7_ecx, 11},
    {"avx512-bitalg", leaf7_ecx, 12},
    {"avx512-vpopcntdq", leaf7_ecx, 14},
    {"rdpid", leaf7_ecx, 22},
    {"cldemote", leaf7_ecx, 25},
    {"movdiri", leaf7_ecx, 27},
    {"movdir64b", leaf7_ecx, 28},
    {"enqcmd", leaf7_ecx, 29},
    {"hw-pstate", extended7_edx, 7},
    {"itsc", extended7_edx, 8},
    {"cpb", extended7_edx, 9},
    {"efro", extended7_edx, 10},
    {"clzero", extended8_ebx, 0},
    {"rstr-fp-err-ptrs", extended8_ebx, 2},
    {"wbnoinvd", extended8_ebx, 9},
    {"ibpb", extended8_ebx, 12},
    {"ibrs", extended8_ebx, 14},
    {"amd-stibp", extended8_ebx, 15},
    {"ibrs-always", extended8_ebx, 16},
    {"stibp-always", extended8_ebx, 17},
    {"ibrs-fast", extended8_ebx, 18},
    {"ibrs-same-mode", extended8_ebx, 19},
    {"no-lmsl", extended8_ebx, 20},
    {"amd-ppin", extended8_ebx, 23},
    {"amd-ssbd", extended8_ebx, 24},
    {"virt-ssbd", extended8_ebx, 25},
    {"ssb-no", extended8_ebx, 26},
    {"psfd", extended8_ebx, 28},
    {"btc-no", extended8_ebx, 29},
    {"ibpb-ret", extended8_ebx, 30},
    {"avx512-4vnniw", leaf7_edx, 2},
    {"avx512-4fmaps", leaf7_edx, 3},
    {"fsrm", leaf7_edx, 4},
    {"avx512-vp2intersect", leaf7_edx, 8},
    {"srbds-ctrl", leaf7_edx, 9},
    {"md-clear", leaf7_edx, 10},
    {"rtm-always-abort", leaf7_edx, 11},
    {"tsx-force-abort", leaf7_edx, 13},
    {"serialize", leaf7_edx, 14},
    {"hybrid", leaf7_edx, 15},
    {"tsxldtrk", leaf7_edx, 16},
    {"cet-ibt", leaf7_edx, 20},
    {"avx512-fp16", leaf7_edx, 23},
    {"ibrsb", leaf7_edx, 26},
    {"stibp", leaf7_edx, 27},
    {"l1d-flush", leaf7_edx, 28},
    {"arch-caps", leaf7_edx, 29},
    {"core-caps", leaf7_edx, 30},
    {"ssbd", leaf7_edx, 31},
    {"avx-vnni", leaf7_1_eax, 4},
    {"avx512-bf16", leaf7_1_eax, 5},
    {"fzrm", leaf7_1_eax, 10},
    {"fsrs", leaf7_1_eax, 11},
    {"fsrcs", leaf7_1_eax, 12},
    {"lfence-dispatch", extended21_eax, 2},
    {"verw-clear", extended21_eax, 5},
    {"nscb", extended21_eax, 6},
    {"auto-ibrs", extended21_eax, 8},
    {"sbpb", extended21_eax, 27},
    {"ibpb-brtype", extended21_eax, 28},
    {"srso-no", extended21_eax, 29},
    {"srso-us-no", extended21_eax, 30},
    {"srso-msr-fix", extended21_eax, 31},
    {"intel-ppin", leaf7_1_ebx, 0},
    {"intel-psfd", leaf7_2_edx, 0},
    {"ipred-ctrl", leaf7_2_edx, 1},
    {"rrsba-ctrl", leaf7_2_edx, 2},
    {"bhi-ctrl", leaf7_2_edx, 4},
    {"mcdt-no", leaf7_2_edx, 5},
    {"cet-sss", leaf7_1_edx, 18},
    {"tsa-sq-no", extended21_ecx, 1},
    {"tsa-l1-no", extended21_ecx, 2},
    // The public header's name; in xl.cfg it is a number, the size of a line.
    {"clflush", leaf1_edx, 19},
    // Older names.
    {"est", leaf1_ecx, 7},
    {"cntxid", leaf1_ecx, 10},
    {"cmpxchg16", leaf1_ecx, 13},
    {"sse4.1", leaf1_ecx, 19},
    {"sse4.2", leaf1_ecx, 20},
    {"aes", leaf1_ecx, 25},
    {"cmpxchg8", leaf1_edx, 8},
    {"sysenter", leaf1_edx, 11},
    {"psn", leaf1_edx, 18},
    {"tm", leaf1_edx, 29},
    {"ia64", leaf1_edx, 30},
    {"arat", leaf6_eax, 2},
    {"cmt", leaf7_ebx, 12},
    {"lahfsahf", extended1_ecx, 0},
    {"cmplegacy", extended1_ecx, 1},
    {"altmovcr8", extended1_ecx, 4},
    {"nodeid", extended1_ecx, 19},
    {"perfctr-core", extended1_ecx, 23},
    {"perfctr-nb", extended1_ecx, 24},
    {"invtsc", extended7_edx, 8},
    {"svm-npt", svm_edx, 0},
    {"svm-lbrv", svm_edx, 1},
    {"svm-nrips", svm_edx, 3},
    {"svm-tscrate", svm_edx, 4},
    {"svm-vmcbclean", svm_edx, 5},
    {"svm-decode", svm_edx, 7},
    {"svm-pausefilt", svm_edx, 10},
    {"lfence+", extended21_eax, 2},
};

}  // namespace cpuid_table

using cpuid_table::cpuid_features;

/// '_' and '-' are the same in names.
constexpr bool same_feature_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::string_view::size_type at = 0; at < a.size(); ++at) {
        if ((a[at] == '_' ? '-' : a[at]) != (b[at] == '_' ? '-' : b[at])) return false;
    }
    return true;
}

/// Null when unknown.
constexpr const CpuidFeature* find_cpuid_feature(std::string_view name) {
    for (const CpuidFeature& feature : cpuid_features) {
        if (same_feature_name(feature.name, name)) return &feature;
    }
    return nullptr;
}

}  // namespace px::abi::x86
