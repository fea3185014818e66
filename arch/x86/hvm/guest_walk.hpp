// A guest's own page tables, walked in software. [intel/sdm3 4] [amd/apm2 5]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

/// Error code bits of #PF, also what an access wants.
namespace fault_code {
inline constexpr u32 present = 1, write = 2, user = 4, reserved = 8, fetch = 16;
/// No bit of the error code: the processor reads a table of its own (GDT, LDT, IDT, TSS) on behalf of an instruction. Such an
/// access is a supervisor's at any privilege, and EFLAGS.AC doesn't open user pages to it. [intel/sdm3 4.6]
inline constexpr u32 implicit = 1u << 16;
}  // namespace fault_code

struct TranslationFault {
    u32 code;  ///< as the #PF error code would be
};

/// The guest physical address behind `linear`. `access`: fault_code::write, user, fetch, implicit. Sets accessed and dirty bits.
/// Checks what the processor does: rights of all levels, WP, NXE, SMEP, SMAP (with the AC of vcpu.arch.registers), reserved
/// bits. Protection keys aren't offered to guests, so CR4.PKE is never set.
/// The vCPU is the current one, or doesn't run.
Result<Gpaddr, TranslationFault> translate(Vcpu& vcpu, u64 linear, u32 access);

enum class CopyDirection : u8 { from_guest, to_guest };
struct CopyFault {
    u64 linear;        ///< first byte that couldn't be reached
    u32 code;          ///< of the #PF to raise; without `present_ram` a fault of ours
    bool no_memory;    ///< the translation is fine, but no RAM stands there
    Gpaddr address{};  ///< where no_memory
};
/// Copies between `buffer` and guest linear memory page by page.
Result<void, CopyFault> copy_linear(Vcpu& vcpu, u64 linear, std::span<u8> buffer, CopyDirection direction, u32 access);

/// Copies between `buffer` and guest physical memory. Errors: efault.
Result<> copy_physical(Vcpu& vcpu, Gpaddr address, std::span<u8> buffer, CopyDirection direction);

}  // namespace px::hvm
