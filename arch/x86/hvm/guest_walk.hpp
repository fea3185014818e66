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
}

struct TranslationFault {
    u32 code;  ///< as the #PF error code would be
};

/// The guest physical address behind `linear`. `access`: fault_code::write, user, fetch. Sets accessed and dirty bits.
/// The vCPU is the current one, or doesn't run.
Result<Gpaddr, TranslationFault> translate(Vcpu& vcpu, u64 linear, u32 access);

enum class CopyDirection : u8 { from_guest, to_guest };
struct CopyFault {
    u64 linear;       ///< first byte that couldn't be reached
    u32 code;         ///< of the #PF to raise; without `present_ram` a fault of ours
    bool no_memory;   ///< the translation is fine, but no RAM stands there
    Gpaddr address{}; ///< where no_memory
};
/// Copies between `buffer` and guest linear memory page by page.
Result<void, CopyFault> copy_linear(Vcpu& vcpu, u64 linear, std::span<u8> buffer, CopyDirection direction, u32 access);

/// Copies between `buffer` and guest physical memory. Errors: efault.
Result<> copy_physical(Vcpu& vcpu, Gpaddr address, std::span<u8> buffer, CopyDirection direction);

}  // namespace px::hvm
