// What VT-x keeps for a vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/hvm/tlb_tags.hpp"
#include "arch/x86/vmx/vmcs.hpp"

namespace px::vmx {

/// A bit per MSR: reads, then writes; of each, MSRs from 0 and from c000_0000, 1 KiB per range [intel/sdm3 25.6.9].
struct MsrBitmap {
    std::array<u8, 4096> bits;

    /// The bit number of an MSR's read bit; -1 for MSRs that always exit. Its write bit is `writes` further.
    static constexpr i32 writes = 2048 * 8;
    static constexpr i32 bit_of(u32 index) {
        if (index < 0x2000) return static_cast<i32>(index);
        if (index >= 0xc0000000 && index < 0xc0002000) return static_cast<i32>(1024 * 8 + (index - 0xc0000000));
        return -1;
    }
    void set(u32 index, bool read, bool write) {
        const i32 bit = bit_of(index);
        if (bit < 0) return;
        set_bit(bit, read);
        set_bit(bit + writes, write);
    }

private:
    void set_bit(i32 number, bool value) {
        u8& byte = bits[static_cast<usize>(number) / 8];
        const u8 mask = static_cast<u8>(1u << (number % 8));
        byte = static_cast<u8>(value ? byte | mask : byte & ~mask);
    }
};

struct VcpuVmx {
    u64 vmcs_address = 0;
    MsrBitmap* msr_bitmap = nullptr;
    hvm::TlbTag vpid;  ///< of the CPU that ran it last
    u64 ept_pointer = 0;
    // What the VMCS holds, so that it isn't written again.
    u64 rip = 0, rsp = 0, rflags = 0;
    u32 primary_controls = 0, secondary_controls = 0, exception_bitmap = 0, tpr_threshold = 0;
    std::array<u64, 4> eoi_exits{};  ///< vectors whose end of interrupt exits
    u32 apic_controls = 0;           ///< of the secondary controls; see apic_controls()
    u32 host_cpu = ~u32{0};          ///< whose host state
    u32 pin_controls = 0;
    /// The processor delivers the local APIC's interrupts.
    bool delivers() const { return (apic_controls & secondary::virtual_interrupts) != 0; }
    bool launched = false;      ///< since the last VMCLEAR: VMRESUME, not VMLAUNCH
    bool state_loaded = false;  ///< CR2, the syscall MSRs are the guest's
    bool debug_registers_loaded = false;
};

}  // namespace px::vmx
