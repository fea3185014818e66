// Bounce frames: what stands on the stack of a PV guest's kernel when an exception, an event or a system call enters it, and the way
// back. [xen/public arch-x86/xen-x86_64.h]
//
//   lower  [ds es fs gs]  rcx  r11  [error code]  rip  cs  rflags  rsp  ss  higher
//          failsafe only            exceptions         └ bits 32 … 39: the mask of events before
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "arch/x86/pv/trap_table.hpp"

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

// Both are on the way of each trap: defined here, and inlined.

/// Puts the frame on the kernel's stack, the words from the lowest address on by store(address, word), which says whether it could; the vCPU is
/// as its kernel is entered then. `kernel_stack`: where users enter the kernel. Errors: the domain can't go on and must crash: einval (no
/// handler, or one at no canonical address; a stack within the hypervisor's part), efault (a word couldn't be stored).
template <class Store>
[[gnu::always_inline]] inline Result<> enter_kernel(CpuFrame& frame, const Entrance entrance, u64 kernel_stack, bool architectural_iopl,
                                                    Store store) {
    namespace flat = abi::x86::flat_ring3;
    REQUIRE(entrance.address != 0 && is_canonical(entrance.address), einval);
    const u64 words = 7 + (entrance.error_code ? 1 : 0) + (entrance.is_failsafe ? entrance.data_selectors.size() : 0);
    const u64 size = words * sizeof(u64);
    const u64 stack = ((frame.in_kernel ? frame.rsp : kernel_stack) & ~u64{15}) - size;
    // No word may lie in the hypervisor's part of the address space; elsewhere a bad stack is a page fault.
    const u64 end = stack + size;
    REQUIRE(end >= stack && (end <= abi::x86::hypervisor_virt_start || stack >= abi::x86::hypervisor_virt_end), einval);
    u64 at = stack;
    const auto push = [&](u64 word) __attribute__((always_inline)) {
        const bool stored = store(at, word);
        at += sizeof word;
        return stored;
    };
    if (entrance.is_failsafe) {
        for (const u16 selector : entrance.data_selectors) REQUIRE(push(selector), efault);
    }
    REQUIRE(push(frame.rcx) && push(frame.r11), efault);
    if (entrance.error_code) REQUIRE(push(*entrance.error_code), efault);
    REQUIRE(push(frame.rip), efault);
    // A kernel sees by the selector's low bits that it interrupted itself.
    REQUIRE(push((frame.in_kernel ? frame.cs & ~u64{3} : frame.cs) | u64{frame.events_masked} << 32), efault);
    REQUIRE(push((frame.rflags & ~(flags::interrupts | flags::privilege)) | (frame.events_masked ? 0 : flags::interrupts) |
                 (architectural_iopl ? frame.iopl << 12 : 0)),
            efault);
    REQUIRE(push(frame.rsp) && push(frame.ss), efault);
    frame.rip = entrance.address;
    frame.cs = flat::cs64;
    frame.ss = flat::ss64;
    frame.rsp = stack;
    frame.rflags &= ~(flags::alignment | flags::virtual_8086 | flags::resume | flags::nested | flags::trap);
    frame.in_kernel = true;
    frame.events_masked = frame.events_masked || entrance.masks_events;
    return {};
}

/// What the iret hypercall does to the vCPU with the frame that it found. `has_user_root`: the vCPU may run users. True where SYSRET may do
/// it: the guest doesn't care for rcx and r11, and the instruction is safe: canonical address, flat segments. Errors: einval where the domain
/// must crash: a return to users without tables for them.
[[gnu::always_inline]] inline Result<bool> leave_kernel(CpuFrame& frame, const abi::x86::IretContext& context, bool has_user_root,
                                                        bool architectural_iopl) {
    namespace flat = abi::x86::flat_ring3;
    const bool to_users = (context.cs & 3) == 3;
    REQUIRE(!to_users || has_user_root, einval);
    frame.in_kernel = !to_users;
    frame.rip = context.rip;
    frame.cs = guest_selector(context.cs);
    frame.ss = guest_selector(context.ss);
    frame.rsp = context.rsp;
    frame.rflags = (context.rflags & ~(flags::privilege | flags::virtual_8086)) | flags::interrupts | flags::fixed;
    frame.rax = context.rax;
    frame.events_masked = (context.rflags & flags::interrupts) == 0;
    if (architectural_iopl) frame.iopl = context.rflags >> 12 & 3;
    const bool in_syscall = (context.flags & abi::x86::vgcf::in_syscall) != 0;
    if (!in_syscall) {
        frame.rcx = context.rcx;
        frame.r11 = context.r11;
    }
    const bool flat_segments = frame.cs == flat::cs64 && frame.ss == flat::ss64;
    const bool plain_flags = (frame.rflags & (flags::resume | flags::trap)) == 0;
    // SYSRET to an address that isn't canonical faults in ring 0, on the guest's stack [CVE-2012-0217].
    return in_syscall && flat_segments && plain_flags && is_canonical(frame.rip);
}

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
