// The CPU record of a saved state, from and to our own form of the registers. [xen/public hvm/save.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/hvm/vcpu_state.hpp"
#include "hypervisor/abi/x86/hvm_save.hpp"

namespace px::hvm {

/// The registers of a vCPU that stands still.
struct CpuImage {
    GuestRegisters registers{};
    ControlRegisters control{};
    std::array<SegmentRegister, 8> segments{};  ///< by Segment
    TableRegister gdtr{}, idtr{};
    std::array<u64, 4> debug_address{};
    u64 dr6 = 0, dr7 = 0;
    u64 sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    u64 star = 0, lstar = 0, cstar = 0, sfmask = 0, kernel_gs_base = 0, tsc_aux = 0;
    u64 tsc = 0;
    Event pending{};
    bool fpu_initialised = false;
    std::array<u8, 512> fpu{};  ///< FXSAVE image, where fpu_initialised

    SegmentRegister& operator[](Segment which) { return segments[static_cast<usize>(which)]; }
    const SegmentRegister& operator[](Segment which) const { return segments[static_cast<usize>(which)]; }
};

abi::x86::HvmHwCpu to_record(const CpuImage& image);

/// Errors: einval for a state that no processor is in, and for bits beyond `valid_cr4` and `valid_efer`.
Result<CpuImage> from_record(const abi::x86::HvmHwCpu& record, u64 valid_cr4, u64 valid_efer);

}  // namespace px::hvm
