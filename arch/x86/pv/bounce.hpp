// Bounce frames: what stands on the stack of a PV guest's kernel when an exception, an event or a system call enters it, and the way
// back. [xen/public arch-x86/xen-x86_64.h]
//
//   lower  [ds es fs gs]  rcx  r11  [error code]  rip  cs  rflags  rsp  ss  higher
//          failsafe only            exceptions         └ bits 32 … 39: the mask of events before
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "arch/x86/pv/trap_table.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px::pv {

namespace flags {
inline constexpr u64 fixed = 2, trap = 1u << 8, interrupts = 1u << 9, privilege = 3u << 12, nested = 1u << 14, resume = 1u << 16,
                     virtual_8086 = 1u << 17, alignment = 1u << 18;
}  // namespace flags

/// What of a vCPU's state a bounce and a return change.
struct CpuFrame {
    u64 rip = 0, rflags = flags::fixed | flags::interrupts, rsp = 0;
    u16 cs = 0, ss = 0;
    u64 rax = 0, rcx = 0, r11 = 0;
    bool in_kernel = true;       ///< with the kernel's root table
    bool events_masked = false;  ///< vcpu_info's evtchn_upcall_mask
    u64 iopl = 0;                ///< RFLAGS.IOPL as the guest sees it, where it asked for that (VMASST architectural_iopl)
};

struct Entrance {
    u64 address = 0;
    bool masks_events = false;
    std::optional<u32> error_code{};
    bool is_failsafe = false;
    std::array<u16, 4> data_selectors{};  ///< ds, es, fs, gs; failsafe only
};

struct Bounce {
    u64 address;                    ///< of the lowest word, on the kernel's stack
    StaticVector<u64, 12> words;
    CpuFrame after;
};
/// The frame and the state after it. `kernel_stack`: where users enter the kernel. Errors: einval where the domain can't go on and must
/// crash: no handler, or one at no canonical address; a stack within the hypervisor's part.
Result<Bounce> enter_kernel(const CpuFrame& now, const Entrance& entrance, u64 kernel_stack, bool architectural_iopl);

/// What the iret hypercall does with the frame that it found. `has_user_root`: the vCPU may run users. Errors: einval where the domain
/// must crash: a return to users without tables for them.
struct Return {
    CpuFrame after;
    bool by_sysret;  ///< the guest doesn't care for rcx and r11, and the instruction is safe: canonical address, flat segments
};
Result<Return> leave_kernel(const CpuFrame& now, const abi::x86::IretContext& context, bool has_user_root, bool architectural_iopl);

/// Whether the guest may use `size` ports from `port` on: by its I/O privilege level, or its bitmap of `bits` ports (0: may), of which
/// byte n is bitmap(n), a Result<u8>.
template <class Bitmap>
bool may_use_ports(const CpuFrame& now, u16 port, unsigned size, u64 iopl, bool architectural_iopl, u32 bits, Bitmap bitmap) {
    // A guest that doesn't see the architecture's levels has its kernel at 1.
    const u64 level = !now.in_kernel ? 3 : architectural_iopl ? 0 : 1;
    if (level <= iopl) return true;
    if (u32{port} + size > bits) return false;
    for (unsigned i = 0; i < size; ++i) {
        const Result<u8> byte = bitmap((port + i) / 8);
        if (!byte.ok() || (*byte >> (port + i) % 8 & 1) != 0) return false;
    }
    return true;
}

}  // namespace px::pv
