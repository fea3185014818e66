// Bounce frames.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/bounce.hpp"

#include "hypervisor/abi/x86/vcpu_context.hpp"

namespace px::pv {
namespace {

namespace flat = abi::x86::flat_ring3;

/// No word of a frame may lie in the hypervisor's part of the address space; elsewhere a bad stack is a page fault.
bool may_hold_frame(u64 lowest, usize words) {
    const u64 end = lowest + words * sizeof(u64);
    return end >= lowest && (end <= abi::x86::hypervisor_virt_start || lowest >= abi::x86::hypervisor_virt_end);
}

u64 guest_flags(const CpuFrame& now, bool architectural_iopl) {
    return (now.rflags & ~(flags::interrupts | flags::privilege)) | (now.events_masked ? 0 : flags::interrupts) |
           (architectural_iopl ? now.iopl << 12 : 0);
}

CpuFrame entered(const CpuFrame& now, const Entrance& entrance, u64 stack) {
    CpuFrame after = now;
    after.rip = entrance.address;
    after.cs = flat::cs64;
    after.ss = flat::ss64;
    after.rsp = stack;
    after.rflags &= ~(flags::alignment | flags::virtual_8086 | flags::resume | flags::nested | flags::trap);
    after.in_kernel = true;
    after.events_masked = now.events_masked || entrance.masks_events;
    return after;
}

}  // namespace

Result<Bounce> enter_kernel(const CpuFrame& now, const Entrance& entrance, u64 kernel_stack, bool architectural_iopl) {
    REQUIRE(entrance.address != 0 && is_canonical(entrance.address), einval);
    Bounce bounce;
    const auto push = [&](u64 word) { (void)bounce.words.push_back(word); };
    if (entrance.is_failsafe) {
        for (const u16 selector : entrance.data_selectors) push(selector);
    }
    push(now.rcx);
    push(now.r11);
    if (entrance.error_code) push(*entrance.error_code);
    push(now.rip);
    // A kernel sees by the selector's low bits that it interrupted itself.
    push((now.in_kernel ? now.cs & ~u64{3} : now.cs) | u64{now.events_masked} << 32);
    push(guest_flags(now, architectural_iopl));
    push(now.rsp);
    push(now.ss);
    const u64 top = (now.in_kernel ? now.rsp : kernel_stack) & ~u64{15};
    bounce.address = top - bounce.words.size() * sizeof(u64);
    REQUIRE(may_hold_frame(bounce.address, bounce.words.size()), einval);
    bounce.after = entered(now, entrance, bounce.address);
    return bounce;
}

Result<Return> leave_kernel(const CpuFrame& now, const abi::x86::IretContext& context, bool has_user_root, bool architectural_iopl) {
    const bool to_users = (context.cs & 3) == 3;
    REQUIRE(!to_users || has_user_root, einval);
    CpuFrame after = now;
    after.in_kernel = !to_users;
    after.rip = context.rip;
    after.cs = guest_selector(context.cs);
    after.ss = guest_selector(context.ss);
    after.rsp = context.rsp;
    after.rflags = (context.rflags & ~(flags::privilege | flags::virtual_8086)) | flags::interrupts | flags::fixed;
    after.rax = context.rax;
    after.events_masked = (context.rflags & flags::interrupts) == 0;
    if (architectural_iopl) after.iopl = context.rflags >> 12 & 3;
    const bool in_syscall = (context.flags & abi::x86::vgcf::in_syscall) != 0;
    if (!in_syscall) {
        after.rcx = context.rcx;
        after.r11 = context.r11;
    }
    const bool flat_segments = after.cs == flat::cs64 && after.ss == flat::ss64;
    const bool plain_flags = (after.rflags & (flags::resume | flags::trap)) == 0;
    // SYSRET to an address that isn't canonical faults in ring 0, on the guest's stack [CVE-2012-0217].
    return Return{after, in_syscall && flat_segments && plain_flags && is_canonical(after.rip)};
}

}  // namespace px::pv
