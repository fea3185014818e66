// The CPU as the hypervisor shows it: leaves that must agree, features that must be hidden, MSRs and CR4 bits that must fault.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/x86/cpuid.hpp"
#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/smp.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constexpr u32 bit(unsigned n) { return 1u << n; }

void hypervisor_leaves() {
    const u32 base = hypervisor_leaf();
    PX_CHECK_EQ(base, abi::x86::xen_cpuid::first_leaf);
    PX_CHECK(cpuid(base).eax >= base + 4 && cpuid(base).eax <= base + abi::x86::xen_cpuid::max_num_leaves);
    PX_CHECK_EQ(cpuid(base + 1).eax, u32{abi::version_major} << 16 | abi::version_minor);
    PX_CHECK_EQ(cpuid(base + 2).eax, 1u);
    PX_CHECK_EQ(cpuid(base + 2).ebx, abi::x86::xen_cpuid::hypercall_page_msr);
    const CpuidResult hvm = cpuid(base + 4);
    PX_CHECK(hvm.eax & abi::x86::xen_cpuid::hvm_vcpu_id_present);
    PX_CHECK(hvm.eax & abi::x86::xen_cpuid::hvm_domid_present);
    PX_CHECK_EQ(hvm.ebx, 0u);
    const CpuidResult time = cpuid(base + 3);
    PX_CHECK(time.ecx > 10'000 && time.ecx < 10'000'000);  // kHz
}

void features() {
    const CpuidResult one = cpuid(1);
    PX_CHECK(one.ecx & bit(31));    // under a hypervisor
    PX_CHECK(!(one.ecx & bit(5)));  // VMX
    PX_CHECK(!(one.ecx & bit(3)));  // MONITOR
    PX_CHECK(one.ecx & bit(21));    // x2APIC is emulated everywhere
    PX_CHECK(one.edx & bit(9));     // APIC
    for (unsigned needed : {0u, 3u, 4u, 5u, 6u, 8u, 13u, 15u, 24u, 25u, 26u}) PX_CHECK(one.edx & bit(needed));
    const CpuidResult extended = cpuid(0x8000'0001);
    PX_CHECK(!(extended.ecx & bit(2)));  // SVM: no nesting
    PX_CHECK(extended.edx & bit(29));    // long mode
    PX_CHECK(extended.edx & bit(20));    // NX
    PX_CHECK((cpuid(0x8000'0008).eax & 0xff) >= 36);
    PX_CHECK(cpuid(0).eax >= 0xd);
    PX_CHECK_EQ(cpuid(0xb).edx, apic_id_of(0));
    PX_CHECK_EQ(cpuid(0x3000'0000).eax == 0 || cpuid(0x3000'0000).eax == cpuid(cpuid(0).eax).eax, true);  // out of range
}

/// What the command line says of features, by 0 and 1: the hypervisor's options took effect.
void as_told() {
    constexpr u64 unsaid = ~u64{0};
    const CpuidResult one = cpuid(1), seven = cpuid(7);
    const struct {
        std::string_view name;
        u32 word;
        unsigned at;
    } table[] = {{"aesni", one.ecx, 25}, {"xsave", one.ecx, 26}, {"avx", one.ecx, 28},
                 {"avx2", seven.ebx, 5}, {"smep", seven.ebx, 7}, {"smap", seven.ebx, 20}};
    for (const auto& [name, word, at] : table) {
        const u64 told = option(name, unsaid);
        if (told == unsaid) continue;
        if (!check((word >> at & 1) == told, __FILE_NAME__, __LINE__, name)) print("    CPUID {:x} bit {}\n", word, at);
    }
}

/// What CPUID offers can be turned on, and what it hides can't.
void control_register_4() {
    const u64 plain = read_cr4();
    const CpuidResult seven = cpuid(7), one = cpuid(1);
    const struct {
        unsigned cr4_bit;
        bool offered;
    } table[] = {
        {20, (seven.ebx & bit(7)) != 0},   // SMEP
        {21, (seven.ebx & bit(20)) != 0},  // SMAP
        {11, (seven.ecx & bit(2)) != 0},   // UMIP
        {16, (seven.ebx & bit(0)) != 0},   // FSGSBASE
        {17, (one.ecx & bit(17)) != 0},    // PCIDE
        {18, (one.ecx & bit(26)) != 0},    // OSXSAVE
        {22, (seven.ecx & bit(3)) != 0},   // PKE
        {13, (one.ecx & bit(5)) != 0},     // VMXE
    };
    for (const auto& [cr4_bit, offered] : table) {
        const Probe probe = probe_write_cr4(plain | u64{1} << cr4_bit);
        if (!check(offered ? probe.fine() : probe.faulted(fault_gp), __FILE_NAME__, __LINE__, "CR4 bit follows CPUID"))
            print("    CR4 bit {} offered {} fault {}\n", cr4_bit, offered, probe.fault);
        write_cr4(plain);
    }
    PX_CHECK(probe_write_cr4(plain | u64{1} << 40).faulted(fault_gp));
}

void msrs() {
    constexpr u32 efer = 0xc000'0080, apic_base = 0x1b, tsc = 0x10, pat = 0x277;
    const Probe before = probe_rdmsr(efer);
    PX_CHECK(before.fine() && before.value & 0x400);
    PX_CHECK(probe_wrmsr(efer, before.value | bit(12)).faulted(fault_gp));       // SVME is hidden
    PX_CHECK(probe_wrmsr(efer, before.value | u64{1} << 40).faulted(fault_gp));  // reserved
    PX_CHECK(probe_rdmsr(apic_base).fine() && probe_rdmsr(tsc).fine());
    PX_CHECK(probe_wrmsr(apic_base, probe_rdmsr(apic_base).value | 2).faulted(fault_gp));
    PX_CHECK(probe_rdmsr(pat).fine());
    PX_CHECK(probe_wrmsr(pat, 0x0202'0202'0202'0202).faulted(fault_gp));                                     // no such memory type
    PX_CHECK(probe_rdmsr(0xc001'0114).faulted(fault_gp) || !(probe_rdmsr(0xc001'0114).value & ~u64{0x10}));  // VM_CR: at most SVMDIS
    PX_CHECK(probe_rdmsr(0xc001'0117).faulted(fault_gp));                                                    // VM_HSAVE_PA
    PX_CHECK(probe_rdmsr(0x480).faulted(fault_gp));                                                          // IA32_VMX_BASIC
    PX_CHECK(probe_rdmsr(0x1234'5678).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(0x1234'5678, 0).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(0xc000'0102, 0x8000'0000'0000'0000).faulted(fault_gp));  // KERNEL_GS_BASE: not canonical
    PX_CHECK(probe_wrmsr(0xc000'0102, 0x1234).fine() && probe_rdmsr(0xc000'0102).value == 0x1234);
}

}  // namespace

void guest_main() {
    PX_PART(hypervisor_leaves());
    PX_PART(features());
    PX_PART(as_told());
    PX_PART(control_register_4());
    PX_PART(msrs());
}

}  // namespace px::guest
