// What AMD-V keeps for a vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/hvm/tlb_tags.hpp"
#include "arch/x86/svm/vmcb.hpp"

namespace px::svm {

/// Two bits per MSR, read then write; three ranges of 8192 MSRs, 2 KiB each [amd/apm2 15.11].
struct MsrBitmap {
    std::array<u8, 8192> bits;

    /// The bit number of an MSR's read bit; nothing for MSRs that always exit.
    static constexpr i32 bit_of(u32 index) {
        if (index < 0x2000) return static_cast<i32>(index * 2);
        if (index >= 0xc0000000 && index < 0xc0002000) return static_cast<i32>(0x2000 * 2 + (index - 0xc0000000) * 2);
        if (index >= 0xc0010000 && index < 0xc0012000) return static_cast<i32>(0x4000 * 2 + (index - 0xc0010000) * 2);
        return -1;
    }
    void set(u32 index, bool read, bool write) {
        const i32 bit = bit_of(index);
        if (bit < 0) return;
        u8& byte = bits[static_cast<usize>(bit) / 8];
        const unsigned shift = static_cast<unsigned>(bit) % 8;
        byte = static_cast<u8>((byte & ~(3u << shift)) | (unsigned{read} | unsigned{write} << 1) << shift);
    }
};

/// Where FS, GS, LDTR, TR and the syscall MSRs are: VMLOAD and VMSAVE move them.
enum class HiddenState : u8 {
    in_vmcb,
    on_cpu,
    both,  ///< saved to be read, and not changed since: the next entry needs no VMLOAD
};

struct VcpuSvm {
    Vmcb* vmcb = nullptr;
    u64 vmcb_address = 0;
    MsrBitmap* msr_bitmap = nullptr;
    hvm::TlbTag asid;            ///< of the CPU that ran it last
    u64 physmap_generation = 0;  ///< of the domain, when the ASID was given
    u32 clean_bits = 0;          ///< what the VMCB's field says after an exit: all, or none where the CPU has no clean bits
    HiddenState hidden_state = HiddenState::in_vmcb;
    bool debug_registers_loaded = false;
};

}  // namespace px::svm
