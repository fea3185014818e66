// Control registers, model-specific registers, CPUID: the instructions, and the bits that we use.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/result.hpp"

namespace px::arch {

namespace cr0 {
inline constexpr u64 pe = 1u << 0, mp = 1u << 1, em = 1u << 2, ts = 1u << 3, et = 1u << 4, ne = 1u << 5, wp = 1u << 16, am = 1u << 18,
                     nw = 1u << 29, cd = 1u << 30, pg = u64{1} << 31;
}
namespace cr4 {
inline constexpr u64 vme = 1u << 0, pvi = 1u << 1, tsd = 1u << 2, de = 1u << 3, pse = 1u << 4, pae = 1u << 5, mce = 1u << 6, pge = 1u << 7,
                     pce = 1u << 8, osfxsr = 1u << 9, osxmmexcpt = 1u << 10, umip = 1u << 11, la57 = 1u << 12, vmxe = 1u << 13,
                     fsgsbase = 1u << 16, pcide = 1u << 17, osxsave = 1u << 18, smep = 1u << 20, smap = 1u << 21, pke = 1u << 22;
}
namespace efer {
inline constexpr u64 sce = 1u << 0, lme = 1u << 8, lma = 1u << 10, nxe = 1u << 11, svme = 1u << 12, lmsle = 1u << 13, ffxsr = 1u << 14,
                     aibrse = 1u << 21;
}
namespace msr {
inline constexpr u32 tsc = 0x10, platform_id = 0x17, apic_base = 0x1b, feature_control = 0x3a, speculation_control = 0x48,
                     prediction_command = 0x49, microcode_load_intel = 0x79, microcode_revision = 0x8b, mtrr_cap = 0xfe,
                     arch_capabilities = 0x10a, flush_command = 0x10b, mtrr_def_type = 0x2ff, sysenter_cs = 0x174, sysenter_esp = 0x175,
                     sysenter_eip = 0x176, pat = 0x277, tsc_deadline = 0x6e0, x2apic_first = 0x800, xss = 0xda0, efer = 0xc0000080,
                     star = 0xc0000081, lstar = 0xc0000082, cstar = 0xc0000083, sfmask = 0xc0000084, fs_base = 0xc0000100,
                     gs_base = 0xc0000101, kernel_gs_base = 0xc0000102, tsc_aux = 0xc0000103, microcode_load_amd = 0xc0010020,
                     vm_cr = 0xc0010114, vm_hsave_pa = 0xc0010117;
}

template <unsigned number>
inline u64 read_cr() {
    u64 value;
    if constexpr (number == 0) asm volatile("movq %%cr0, %0" : "=r"(value));
    if constexpr (number == 2) asm volatile("movq %%cr2, %0" : "=r"(value));
    if constexpr (number == 3) asm volatile("movq %%cr3, %0" : "=r"(value));
    if constexpr (number == 4) asm volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}
template <unsigned number>
inline void write_cr(u64 value) {
    if constexpr (number == 0) asm volatile("movq %0, %%cr0" ::"r"(value) : "memory");
    if constexpr (number == 2) asm volatile("movq %0, %%cr2" ::"r"(value) : "memory");
    if constexpr (number == 3) asm volatile("movq %0, %%cr3" ::"r"(value) : "memory");
    if constexpr (number == 4) asm volatile("movq %0, %%cr4" ::"r"(value) : "memory");
}

inline u64 read_msr(u32 index) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return u64{high} << 32 | low;
}
inline void write_msr(u32 index, u64 value) {
    asm volatile("wrmsr" ::"a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)), "c"(index) : "memory");
}

/// As read_msr; Errors: efault where the CPU raises #GP.
inline Result<u64> read_msr_safe(u32 index) {
    u32 low = 0, high = 0;
    bool failed = true;
    asm volatile(
        "1: rdmsr\n"
        "   movb $0, %2\n"
        "2:\n"
        "   .pushsection .exception_table, \"a\"\n"
        "   .quad 1b, 2b\n"
        "   .popsection"
        : "+a"(low), "+d"(high), "+r"(failed)
        : "c"(index));
    if (failed) return Err{Errno::efault};
    return u64{high} << 32 | low;
}
inline Result<> write_msr_safe(u32 index, u64 value) {
    bool failed = true;
    asm volatile(
        "1: wrmsr\n"
        "   movb $0, %0\n"
        "2:\n"
        "   .pushsection .exception_table, \"a\"\n"
        "   .quad 1b, 2b\n"
        "   .popsection"
        : "+r"(failed)
        : "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)), "c"(index)
        : "memory");
    if (failed) return Err{Errno::efault};
    return {};
}

inline u64 read_tsc() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return u64{high} << 32 | low;
}
/// Not before earlier loads: for stamps that are compared across CPUs.
inline u64 read_tsc_ordered() {
    asm volatile("lfence" ::: "memory");
    return read_tsc();
}

struct CpuidLeaf {
    u32 eax, ebx, ecx, edx;
};
inline CpuidLeaf cpuid(u32 leaf, u32 subleaf = 0) {
    CpuidLeaf result;
    asm volatile("cpuid" : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx) : "a"(leaf), "c"(subleaf));
    return result;
}

inline u8 in8(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline u16 in16(u16 port) {
    u16 value;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline u32 in32(u16 port) {
    u32 value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
inline void out16(u16 port, u16 value) { asm volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
inline void out32(u16 port, u32 value) { asm volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }

inline void read_debug_addresses(std::array<u64, 4>& to) {
    asm volatile("movq %%db0, %0; movq %%db1, %1; movq %%db2, %2; movq %%db3, %3" : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]));
}
inline void write_debug_addresses(const std::array<u64, 4>& from) {
    asm volatile("movq %0, %%db0; movq %1, %%db1; movq %2, %%db2; movq %3, %%db3" ::"r"(from[0]), "r"(from[1]), "r"(from[2]), "r"(from[3]));
}

/// DR6.
inline u64 read_debug_status() {
    u64 value;
    asm volatile("movq %%db6, %0" : "=r"(value));
    return value;
}
inline void write_debug_status(u64 value) { asm volatile("movq %0, %%db6" ::"r"(value)); }

inline void write_debug_control(u64 value) { asm volatile("movq %0, %%db7" ::"r"(value)); }

inline void invalidate_page(const void* address) { asm volatile("invlpg (%0)" ::"r"(address) : "memory"); }

}  // namespace px::arch
