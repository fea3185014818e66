// Memory of the current PV vCPU by its linear addresses: read and written where it lies, by its own page tables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// By the tables of the guest's kernel, in whichever mode the vCPU is. Errors: efault (not the guest's addresses, or what the processor
/// refuses there); a part may have been copied.
Result<> copy_from_guest(VcpuState& state, void* to, u64 address, usize bytes);
Result<> copy_to_guest(VcpuState& state, u64 address, const void* from, usize bytes);

/// As copy_from_guest(), by the tables that are loaded: an instruction's bytes, or a user's memory.
Result<> read_mapped(void* to, u64 address, usize bytes);
Result<> write_mapped(u64 address, const void* from, usize bytes);

/// Every page of a PV guest is a user's: the processor must be told that we mean to touch it [SMAP].
class UserAccess {
public:
    UserAccess() {
        if ((arch::host_cr4() & arch::cr4::smap) != 0) asm volatile("stac" ::: "memory", "cc");
    }
    ~UserAccess() {
        if ((arch::host_cr4() & arch::cr4::smap) != 0) asm volatile("clac" ::: "memory", "cc");
    }
    UserAccess(const UserAccess&) = delete;
};

/// One word at an address of the guest's, by the tables that are loaded, under a UserAccess. False: it faulted.
[[gnu::always_inline]] inline bool store_word(u64 address, u64 value) {
    asm goto(
        "1: movq %1, (%0)\n"
        "   .pushsection .exception_table, \"a\"\n"
        "   .quad 1b, %l[fault]\n"
        "   .popsection" ::"r"(address),
        "r"(value)
        : "memory"
        : fault);
    return true;
fault:
    return false;
}
[[gnu::always_inline]] inline bool load_word(u64& value, u64 address) {
    // Not as store_word(): g++ 12 fails where an asm goto has an output.
    bool failed = true;
    asm volatile(
        "1: movq (%2), %0\n"
        "   movb $0, %1\n"
        "2:\n"
        "   .pushsection .exception_table, \"a\"\n"
        "   .quad 1b, 2b\n"
        "   .popsection"
        : "=&r"(value), "+r"(failed)
        : "r"(address)
        : "memory");
    return !failed;
}

/// Whether a guest may name all these addresses; canonical or not.
inline bool is_guest_range(u64 address, usize bytes) {
    const u64 last = address + (bytes - 1);
    if (last < address) return false;
    return last < abi::x86::hypervisor_virt_start || address >= abi::x86::hypervisor_virt_end;
}

}  // namespace px::pv
