// What guests are offered of several CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "hypervisor/abi/x86/cpuid.hpp"
#include "tests/unit/x86/corpus.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::hvm {
namespace {

struct Feature {
    const char* name;
    u32 leaf, subleaf;
    u32 Leaf::*reg;
    unsigned bit;
    bool in(const CpuPolicy& policy) const { return policy.has(leaf, subleaf, reg, bit); }
};

// State or side effects that nobody switches or controls for a guest, each by its name. [intel/sdm2 CPUID] [amd/apm3 E]
constexpr Feature never[] = {
    {"DTES64", 1, 0, &Leaf::ecx, 2},
    {"MONITOR", 1, 0, &Leaf::ecx, 3},
    {"DS-CPL", 1, 0, &Leaf::ecx, 4},
    {"VMX", 1, 0, &Leaf::ecx, 5},
    {"SMX", 1, 0, &Leaf::ecx, 6},
    {"EIST", 1, 0, &Leaf::ecx, 7},
    {"TM2", 1, 0, &Leaf::ecx, 8},
    {"SDBG", 1, 0, &Leaf::ecx, 11},
    {"xTPR", 1, 0, &Leaf::ecx, 14},
    {"PDCM", 1, 0, &Leaf::ecx, 15},
    {"DCA", 1, 0, &Leaf::ecx, 18},
    {"PSN", 1, 0, &Leaf::edx, 18},
    {"DS", 1, 0, &Leaf::edx, 21},
    {"ACPI", 1, 0, &Leaf::edx, 22},
    {"TM", 1, 0, &Leaf::edx, 29},
    {"PBE", 1, 0, &Leaf::edx, 31},
    {"TSC_ADJUST", 7, 0, &Leaf::ebx, 1},
    {"SGX", 7, 0, &Leaf::ebx, 2},
    {"HLE", 7, 0, &Leaf::ebx, 4},
    {"RTM", 7, 0, &Leaf::ebx, 11},
    {"PQM", 7, 0, &Leaf::ebx, 12},
    {"MPX", 7, 0, &Leaf::ebx, 14},
    {"PQE", 7, 0, &Leaf::ebx, 15},
    {"PT", 7, 0, &Leaf::ebx, 25},
    {"PKU", 7, 0, &Leaf::ecx, 3},
    {"OSPKE", 7, 0, &Leaf::ecx, 4},
    {"WAITPKG", 7, 0, &Leaf::ecx, 5},
    {"CET_SS", 7, 0, &Leaf::ecx, 7},
    {"TME", 7, 0, &Leaf::ecx, 13},
    {"LA57", 7, 0, &Leaf::ecx, 16},
    {"KL", 7, 0, &Leaf::ecx, 23},
    {"BUS_LOCK", 7, 0, &Leaf::ecx, 24},
    {"ENQCMD", 7, 0, &Leaf::ecx, 29},
    {"SGX_LC", 7, 0, &Leaf::ecx, 30},
    {"PKS", 7, 0, &Leaf::ecx, 31},
    {"UINTR", 7, 0, &Leaf::edx, 5},
    {"TSXLDTRK", 7, 0, &Leaf::edx, 16},
    {"PCONFIG", 7, 0, &Leaf::edx, 18},
    {"ARCH_LBR", 7, 0, &Leaf::edx, 19},
    {"CET_IBT", 7, 0, &Leaf::edx, 20},
    {"AMX_BF16", 7, 0, &Leaf::edx, 22},
    {"AMX_TILE", 7, 0, &Leaf::edx, 24},
    {"AMX_INT8", 7, 0, &Leaf::edx, 25},
    {"IBRS", 7, 0, &Leaf::edx, 26},
    {"STIBP", 7, 0, &Leaf::edx, 27},
    {"L1D_FLUSH", 7, 0, &Leaf::edx, 28},
    {"ARCH_CAPS", 7, 0, &Leaf::edx, 29},
    {"CORE_CAPS", 7, 0, &Leaf::edx, 30},
    {"SSBD", 7, 0, &Leaf::edx, 31},
    {"FRED", 7, 1, &Leaf::eax, 17},
    {"LAM", 7, 1, &Leaf::eax, 26},
    {"XFD", 0xd, 1, &Leaf::eax, 4},
    {"SVM", 0x80000001, 0, &Leaf::ecx, 2},
    {"EXTAPIC", 0x80000001, 0, &Leaf::ecx, 3},
    {"OSVW", 0x80000001, 0, &Leaf::ecx, 9},
    {"IBS", 0x80000001, 0, &Leaf::ecx, 10},
    {"SKINIT", 0x80000001, 0, &Leaf::ecx, 12},
    {"WDT", 0x80000001, 0, &Leaf::ecx, 13},
    {"LWP", 0x80000001, 0, &Leaf::ecx, 15},
    {"NODEID", 0x80000001, 0, &Leaf::ecx, 19},
    {"TOPOEXT", 0x80000001, 0, &Leaf::ecx, 22},
    {"PERFCTR", 0x80000001, 0, &Leaf::ecx, 23},
    {"PERFCTR_NB", 0x80000001, 0, &Leaf::ecx, 24},
    {"DBX", 0x80000001, 0, &Leaf::ecx, 26},
    {"PERFTSC", 0x80000001, 0, &Leaf::ecx, 27},
    {"PERFCTR_L2", 0x80000001, 0, &Leaf::ecx, 28},
    {"MONITORX", 0x80000001, 0, &Leaf::ecx, 29},
    {"RDPRU", 0x80000008, 0, &Leaf::ebx, 4},
    {"MCOMMIT", 0x80000008, 0, &Leaf::ebx, 8},
    {"IBPB", 0x80000008, 0, &Leaf::ebx, 12},
    {"CPPC", 0x80000008, 0, &Leaf::ebx, 27},
};

TEST(CpuPolicyRules, NothingLeaks) {
    for (const Machine& machine : corpus()) {
        const CpuPolicy policy = hvm_maximum(machine.policy());
        for (const Feature& feature : never) EXPECT_FALSE(feature.in(policy)) << feature.name << " on " << machine.name;
        EXPECT_LE(policy.max_basic(), 0xdu) << machine.name;
        EXPECT_LE(policy.max_extended(), 0x80000008u) << machine.name;
        for (const u32 leaf : {5u, 6u, 0xau}) {
            const Leaf value = policy.get(leaf);
            EXPECT_EQ(value.eax | value.ebx | value.ecx | value.edx, 0u) << "leaf " << leaf << " of " << machine.name;
        }
    }
}

TEST(CpuPolicyRules, TheCorpusHasWhatMustNotLeak) {
    // Otherwise the test above couldn't fail.
    for (const Feature& feature : never) EXPECT_TRUE(feature.in(corpus().back().policy())) << feature.name;
}

TEST(CpuPolicyRules, TheOrdinaryFeaturesAreThere) {
    constexpr Feature wanted[] = {{"SSE3", 1, 0, &Leaf::ecx, 0},         {"SSSE3", 1, 0, &Leaf::ecx, 9},
                                  {"CX16", 1, 0, &Leaf::ecx, 13},        {"SSE4.2", 1, 0, &Leaf::ecx, 20},
                                  {"x2APIC", 1, 0, &Leaf::ecx, 21},      {"hypervisor", 1, 0, &Leaf::ecx, 31},
                                  {"PAE", 1, 0, &Leaf::edx, 6},          {"APIC", 1, 0, &Leaf::edx, 9},
                                  {"SSE2", 1, 0, &Leaf::edx, 26},        {"long mode", 0x80000001, 0, &Leaf::edx, 29},
                                  {"NX", 0x80000001, 0, &Leaf::edx, 20}, {"invariant TSC", 0x80000007, 0, &Leaf::edx, 8}};
    for (const Machine& machine : corpus()) {
        const CpuPolicy policy = hvm_maximum(machine.policy());
        for (const Feature& feature : wanted) EXPECT_TRUE(feature.in(policy)) << feature.name << " on " << machine.name;
    }
}

TEST(CpuPolicyRules, AGuestGetsNoMoreThanTheHostHas) {
    for (const Machine& machine : corpus()) {
        const CpuPolicy host = machine.policy(), policy = hvm_maximum(host);
        for (const CpuPolicy::Entry& entry : policy.entries()) {
            if (entry.leaf == 0 || entry.leaf == 0xd || entry.leaf == 0x80000000) continue;
            const Leaf had = host.get(entry.leaf, entry.subleaf);
            const bool ours = entry.leaf == 1;  // x2APIC, TSC deadline, the hypervisor bit; APIC, MTRR, PAT: emulated
            EXPECT_EQ(entry.value.eax & ~had.eax, 0u) << machine.name << std::hex << entry.leaf;
            EXPECT_EQ(entry.value.ebx & ~had.ebx, 0u) << machine.name << std::hex << entry.leaf;
            EXPECT_EQ(entry.value.ecx & ~had.ecx & (ours ? ~(1u << 21 | 1u << 24 | 1u << 31) : ~0u), 0u)
                << machine.name << std::hex << entry.leaf;
            EXPECT_EQ(entry.value.edx & ~had.edx & (ours ? ~(1u << 9 | 1u << 12 | 1u << 16) : ~0u), 0u)
                << machine.name << std::hex << entry.leaf;
        }
    }
}

TEST(CpuPolicyRules, TheMaximumOfTheMaximumIsTheMaximum) {
    for (const Machine& machine : corpus()) {
        const CpuPolicy once = hvm_maximum(machine.policy()), twice = hvm_maximum(once);
        for (const CpuPolicy::Entry& entry : once.entries()) {
            const Leaf again = twice.get(entry.leaf, entry.subleaf);
            EXPECT_TRUE(again.eax == entry.value.eax && again.ebx == entry.value.ebx && again.ecx == entry.value.ecx &&
                        again.edx == entry.value.edx)
                << machine.name << std::hex << " leaf " << entry.leaf << "." << entry.subleaf;
        }
    }
}

TEST(CpuPolicyRules, FeaturesHaveTheirState) {
    for (const Machine& machine : corpus()) {
        const CpuPolicy policy = hvm_maximum(machine.policy());
        const u32 components = policy.get(0xd, 0).eax;
        EXPECT_EQ(components & ~0xe7u, 0u) << machine.name;
        EXPECT_EQ(policy.get(0xd, 0).edx, 0u) << machine.name;
        const bool avx = policy.has(1, 0, &Leaf::ecx, 28), avx512 = policy.has(7, 0, &Leaf::ebx, 16);
        EXPECT_TRUE(!avx || (components & 7) == 7) << "AVX on " << machine.name;
        EXPECT_TRUE(!avx512 || (components & 0xe0) == 0xe0) << "AVX-512 on " << machine.name;
        for (u32 component = 2; component < 32; ++component) {
            if ((components >> component & 1) == 0) {
                const Leaf leaf = policy.get(0xd, component);
                EXPECT_EQ(leaf.eax | leaf.ebx | leaf.ecx | leaf.edx, 0u) << machine.name << " component " << component;
            }
        }
    }
}

const Machine& machine_named(std::string_view name) {
    for (const Machine& machine : corpus())
        if (machine.name == name) return machine;
    ADD_FAILURE();
    return corpus()[0];
}
CpuPolicy offered(std::string_view name) { return hvm_maximum(machine_named(name).policy()); }

TEST(Xsave, SizesAreThoseOfTheStandardFormat) {
    const CpuPolicy skylake = offered("Skylake server"), milan = offered("EPYC (Zen 3)"), nehalem = offered("Nehalem");
    EXPECT_EQ(xsave_size(1, skylake), 576u);
    EXPECT_EQ(xsave_size(3, skylake), 576u);
    EXPECT_EQ(xsave_size(7, skylake), 832u);
    EXPECT_EQ(xsave_size(0xe7, skylake), 2688u);
    EXPECT_EQ(skylake.get(0xd, 0).ecx, 2688u) << "without PKRU, which the host's 2696 includes";
    EXPECT_EQ(xsave_size(7, milan), 832u);
    EXPECT_EQ(compacted_xsave_size(3, skylake), 576u);
    EXPECT_EQ(compacted_xsave_size(7, skylake), 832u);
    EXPECT_EQ(compacted_xsave_size(0xe7, skylake), 2432u);  // no room for MPX between AVX and AVX-512
    EXPECT_EQ(milan.get(0xd, 0).ecx, 832u);
    EXPECT_EQ(xsave_size(3, nehalem), 576u);
    EXPECT_EQ(nehalem.get(0xd, 0).eax, 0u);
}

TEST(Xsave, Xcr0FollowsItsRules) {
    const CpuPolicy skylake = offered("Skylake server"), milan = offered("EPYC (Zen 3)"), nehalem = offered("Nehalem");
    for (u64 value = 0; value < 0x400; ++value) {
        // [intel/sdm1 13.3]
        const bool sound = (value & 1) != 0 && ((value & 4) == 0 || (value & 2) != 0) &&
                           ((value & 0xe0) == 0 || ((value & 0xe0) == 0xe0 && (value & 4) != 0));
        EXPECT_EQ(valid_xcr0(value, skylake), sound && (value & ~u64{0xe7}) == 0) << std::hex << value;
        EXPECT_EQ(valid_xcr0(value, milan), sound && (value & ~u64{7}) == 0) << std::hex << value;
        EXPECT_FALSE(valid_xcr0(value, nehalem)) << std::hex << value;
    }
    for (unsigned bit = 10; bit < 64; ++bit) EXPECT_FALSE(valid_xcr0(u64{1} << bit | 3, offered("every bit"))) << bit;
}

TEST(ControlBits, FollowTheFeatures) {
    namespace cr4 = arch::cr4;
    const u64 skylake = valid_cr4(offered("Skylake server")), nehalem = valid_cr4(offered("Nehalem")),
              zen = valid_cr4(offered("Ryzen (Zen)"));
    constexpr u64 base =
        cr4::vme | cr4::pvi | cr4::tsd | cr4::de | cr4::pse | cr4::pae | cr4::mce | cr4::pge | cr4::pce | cr4::osfxsr | cr4::osxmmexcpt;
    EXPECT_EQ(nehalem, base);
    EXPECT_EQ(skylake, base | cr4::osxsave | cr4::pcide | cr4::fsgsbase | cr4::smep | cr4::smap);
    EXPECT_EQ(zen, base | cr4::osxsave | cr4::fsgsbase | cr4::smep | cr4::smap);
    EXPECT_NE(valid_cr4(offered("EPYC (Zen 3)")) & cr4::umip, 0u);
    EXPECT_EQ(valid_cr4(offered("every bit")) & (cr4::la57 | cr4::vmxe | cr4::pke | 1u << 14 | 1u << 23 | 1u << 24), 0u);
    EXPECT_EQ(valid_cr4(offered("every bit")) >> 32, 0u);

    namespace efer = arch::efer;
    EXPECT_EQ(valid_efer(offered("Nehalem")), efer::lme | efer::nxe | efer::sce);
    EXPECT_EQ(valid_efer(offered("Ryzen (Zen)")), efer::lme | efer::nxe | efer::sce | efer::ffxsr);
    EXPECT_EQ(valid_efer(offered("every bit")) & (efer::svme | efer::lmsle), 0u);
}

// CPUID as one vCPU sees it.

class GuestCpuid : public X86World {
protected:
    explicit GuestCpuid(u32 vcpus = 4) : domain_(make_domain(7, vcpus)), vcpu_(*domain_.vcpu(VcpuId{vcpus - 1})) {
        domain_.arch.policy = offered("Skylake server");
    }
    Domain& domain_;
    Vcpu& vcpu_;
};

TEST_F(GuestCpuid, DynamicBitsFollowTheVcpu) {
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).ebx >> 24, 6u) << "the APIC id";
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).ebx >> 8 & 0xff, 8u) << "CLFLUSH size";
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).ecx >> 27 & 1, 0u);
    vcpu_.arch.control.cr4 |= arch::cr4::osxsave;
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).ecx >> 27 & 1, 1u) << "OSXSAVE";
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).edx >> 9 & 1, 1u);
    ASSERT_TRUE(vcpu_.arch.apic.set_base(VirtualLocalApic::default_base).ok());
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).edx >> 9 & 1, 0u) << "no APIC while it is turned off";
    EXPECT_EQ(guest_cpuid(vcpu_, 0xd, 0).ebx, 576u);
    vcpu_.arch.xcr0 = 0xe7;
    EXPECT_EQ(guest_cpuid(vcpu_, 0xd, 0).ebx, 2688u);
}

TEST_F(GuestCpuid, UnknownLeavesAreZero) {
    for (const u32 leaf : {0xeu, 0x14u, 0x1000u, 0x3fffffffu, 0x40000100u, 0x7fffffffu, 0x80000009u, 0x8000000au, 0x8000001fu, ~0u}) {
        const Leaf value = guest_cpuid(vcpu_, leaf, 0);
        EXPECT_EQ(value.eax | value.ebx | value.ecx | value.edx, 0u) << std::hex << leaf;
    }
    for (u32 subleaf = 2; subleaf < 64; ++subleaf) {
        const Leaf value = guest_cpuid(vcpu_, 7, subleaf);
        EXPECT_EQ(value.eax | value.ebx | value.ecx | value.edx, 0u) << subleaf;
    }
}

TEST_F(GuestCpuid, TopologyIsOneThreadPerCore) {
    // A host of 16 cores in 8 pairs of threads; L1 and L2 by pair, L3 by all.
    CpuPolicy& policy = vcpu_.domain.arch.policy;
    ASSERT_TRUE(policy.set(4, 0, {7u << 26 | 1u << 14 | 1u << 5 | 1, 1, 2, 3}).ok());
    ASSERT_TRUE(policy.set(4, 2, {7u << 26 | 1u << 14 | 2u << 5 | 3, 1, 2, 3}).ok());
    ASSERT_TRUE(policy.set(4, 3, {7u << 26 | 15u << 14 | 3u << 5 | 3, 1, 2, 3}).ok());
    const u32 ids = (1u << guest_cpuid(vcpu_, 0xb, 1).eax) - 1;
    for (const u32 subleaf : {0u, 2u, 3u}) {
        const Leaf cache = guest_cpuid(vcpu_, 4, subleaf);
        EXPECT_EQ(cache.eax >> 26, ids) << "ids of cores in the package";
        EXPECT_EQ(cache.eax >> 14 & 0xfff, subleaf == 3 ? ids : 0) << "ids that share the cache";
        EXPECT_EQ(cache.eax & 0x3fff, policy.get(4, subleaf).eax & 0x3fff);
        EXPECT_EQ(cache.ecx, 2u);
    }
    EXPECT_EQ(guest_cpuid(vcpu_, 4, 1).eax, 0u) << "no more caches";
    EXPECT_EQ(guest_cpuid(vcpu_, 0x8000001d, 0).eax, 0u);

    const Leaf threads = guest_cpuid(vcpu_, 0xb, 0), cores = guest_cpuid(vcpu_, 0xb, 1), end = guest_cpuid(vcpu_, 0xb, 2);
    EXPECT_EQ(threads.ecx >> 8 & 0xff, 1u);
    EXPECT_EQ(threads.ebx, 1u);
    EXPECT_EQ(cores.ecx >> 8 & 0xff, 2u);
    EXPECT_EQ(cores.ebx, 4u);
    EXPECT_TRUE(threads.edx == 6 && cores.edx == 6 && end.edx == 6) << "x2APIC id";
    EXPECT_EQ(end.ecx >> 8 & 0xff, 0u);
    // Ids of one package differ in the low bits only.
    EXPECT_EQ(apic(domain_, 0).id() >> cores.eax, apic(domain_, 3).id() >> cores.eax);
    EXPECT_NE(apic(domain_, 0).id() >> threads.eax, apic(domain_, 1).id() >> threads.eax);
}

// [xen/public arch-x86/cpuid.h]
TEST_F(GuestCpuid, TheHypervisorNamesItself) {
    const Leaf first = guest_cpuid(vcpu_, 0x40000000, 0);
    EXPECT_GE(first.eax, 0x40000004u);
    const u32 signature[] = {first.ebx, first.ecx, first.edx};
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(signature), 12), "XenVMMXenVMM");
    EXPECT_EQ(guest_cpuid(vcpu_, 0x40000001, 0).eax, 4u << 16 | 17u);
    const Leaf pages = guest_cpuid(vcpu_, 0x40000002, 0);
    EXPECT_EQ(pages.eax, 1u);
    EXPECT_EQ(pages.ebx, 0x40000000u);
    const Leaf self = guest_cpuid(vcpu_, 0x40000004, 0);
    EXPECT_EQ(self.ebx, 3u) << "vCPU";
    EXPECT_EQ(self.ecx, 7u) << "domain";
}

class LargeGuestCpuid : public GuestCpuid {
protected:
    LargeGuestCpuid() : GuestCpuid(128) {}
};
TEST_F(LargeGuestCpuid, TheCountOfLogicalProcessorsIsNotZero) {
    EXPECT_EQ(guest_cpuid(vcpu_, 1, 0).ebx >> 24, 254u);
    EXPECT_NE(guest_cpuid(vcpu_, 1, 0).ebx >> 16 & 0xff, 0u);
}

TEST_F(GuestCpuid, PolicyMsrs) {
    EXPECT_EQ(policy_msr(vcpu_, 0x10a).error(), Errno::efault) << "no feature, no register";
    EXPECT_EQ(policy_msr(vcpu_, 0xce).error(), Errno::efault);
    EXPECT_EQ(policy_msr(vcpu_, 0x12345).error(), Errno::efault);
    EXPECT_EQ(policy_msr(vcpu_, 0x179).value_or(1), 0u) << "no machine check banks";
    EXPECT_EQ(set_policy_msr(vcpu_, 0x12345, 0).error(), Errno::efault);
}

}  // namespace
}  // namespace px::hvm
