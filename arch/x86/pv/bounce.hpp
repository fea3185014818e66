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

/// The words of a frame, from the lowest address on. Only what was pushed has a value.
class BounceWords {
public:
    BounceWords() {}  // NOLINT: nothing is written twice
    void push(u64 word) { word_[count_++] = word; }
    usize size() const { return count_; }
    u64 operator[](usize index) const { return word_[index]; }
    const u64* begin() const { return word_.data(); }
    const u64* end() const { return word_.data() + count_; }

private:
    usize count_ = 0;
    std::array<u64, 12> word_;
};

struct Bounce {
    u64 address = 0;                ///< of the lowest word, on the kernel's stack
    BounceWords words;
    CpuFrame after;
};

// Both are on the way of each trap: defined here.

/// The frame and the state after it. `kernel_stack`: where users enter the kernel. Errors: einval where the domain can't go on and must
/// crash: no handler, or one at no canonical address; a stack within the hypervisor's part.
inline Result<> enter_kernel(const CpuFrame& now, const Entrance& entrance, u64 kernel_stack, bool architectural_iopl, Bounce& bounce) {
    namespace flat = abi::x86::flat_ring3;
    REQUIRE(entrance.address != 0 && is_canonical(entrance.address), einval);
    if (entrance.is_failsafe) {
        for (const u16 selector : entrance.data_selectors) bounce.words.push(selector);
    }
    bounce.words.push(now.rcx);
    bounce.words.push(now.r11);
    if (entrance.error_code) bounce.words.push(*entrance.error_code);
    bounce.words.push(now.rip);
    // A kernel sees by the selector's low bits that it interrupted itself.
    bounce.words.push((now.in_kernel ? now.cs & ~u64{3} : now.cs) | u64{now.events_masked} << 32);
    bounce.words.push((now.rflags & ~(flags::interrupts | flags::privilege)) | (now.events_masked ? 0 : flags::interrupts) |
                      (architectural_iopl ? now.iopl << 12 : 0));
    bounce.words.push(now.rsp);
    bounce.words.push(now.ss);
    const u64 size = bounce.words.size() * sizeof(u64);
    bounce.address = ((now.in_kernel ? now.rsp : kernel_stack) & ~u64{15}) - size;
    // No word may lie in the hypervisor's part of the address space; elsewhere a bad stack is a page fault.
    const u64 end = bounce.address + size;
    REQUIRE(end >= bounce.address, einval);
    REQUIRE(end <= abi::x86::hypervisor_virt_start || bounce.address >= abi::x86::hypervisor_virt_end, einval);
    bounce.after = now;
    bounce.after.rip = entrance.address;
    bounce.after.cs = flat::cs64;
    bounce.after.ss = flat::ss64;
    bounce.after.rsp = bounce.address;
    bounce.after.rflags &= ~(flags::alignment | flags::virtual_8086 | flags::resume | flags::nested | flags::trap);
    bounce.after.in_kernel = true;
    bounce.after.events_masked = now.events_masked || entrance.masks_events;
    return {};
}

/// What the iret hypercall does to the vCPU with the frame that it found. `has_user_root`: the vCPU may run users. True where SYSRET may do
/// it: the guest doesn't care for rcx and r11, and the instruction is safe: canonical address, flat segments. Errors: einval where the domain
/// must crash: a return to users without tables for them.
inline Result<bool> leave_kernel(CpuFrame& frame, const abi::x86::IretContext& context, bool has_user_root, bool architectural_iopl) {
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
