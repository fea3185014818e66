// What a tiny PV kernel has beside the common runtime: its frames, its page tables, its virtual CPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/callback.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

inline constexpr u64 virt_base = PX_VIRT_BASE;
inline constexpr u64 pte_present = 1, pte_writable = 2, pte_user = 4, pte_accessed = 0x20, pte_dirty = 0x40, pte_no_execute = u64{1} << 63;
inline constexpr unsigned vector_event = 0x100, vector_failsafe = 0x101, vector_syscall = 0x102;  ///< of Frame, beside the exceptions

const abi::StartInfo& pv_start_info();

/// Of memory of this kernel.
inline u64 pfn_of(const volatile void* address) { return (reinterpret_cast<u64>(address) - virt_base) >> page_shift; }
u64 mfn_of_pfn(u64 pfn);
inline u64 mfn_of(const volatile void* address) { return mfn_of_pfn(pfn_of(address)); }
/// Only of frames that are mapped from virt_base on.
inline void* address_of_mfn(u64 mfn) {
    const u64 pfn = reinterpret_cast<const u64*>(abi::x86::mach2phys_virt_start)[mfn];
    return reinterpret_cast<void*>(virt_base + (pfn << page_shift));
}
/// The entry of level 1 … 4 on the way to a linear address in this kernel's tables; nullptr where the way ends before.
u64* entry_on_way(u64 linear, unsigned level);

inline i64 update_va(u64 linear, u64 entry, u64 flags = abi::uvmf::invlpg) {
    return hypercall(abi::hypercall::update_va_mapping, linear, entry, flags);
}
/// One page of this kernel becomes read-only, or writable again. Gives the hypercall's answer.
i64 set_writable(const volatile void* page, bool writable);

inline i64 mmu_update(u64 ptr, u64 val, u16 owner = abi::domid::self) {
    abi::MmuUpdate op{ptr, val};
    return hypercall(abi::hypercall::mmu_update, reinterpret_cast<u64>(&op), 1, 0, owner);
}
inline i64 mmuext(abi::MmuextOpCmd cmd, u64 first = 0, u64 second = 0) {
    abi::MmuextOp op{};
    op.cmd = static_cast<u32>(cmd);
    op.arg1.mfn = first;
    op.arg2.src_mfn = second;
    return hypercall(abi::hypercall::mmuext_op, reinterpret_cast<u64>(&op), 1, 0, abi::domid::self);
}

/// Makes the tables of users, which are this kernel's own; once, before run_user(). Its code is what users execute.
void init_users();
/// Runs `entry` as a user with these flags beside the fixed ones, until it makes a system call or faults. Gives what its kernel was entered with.
Frame run_user(u64 entry, u64 rflags = 0);
inline Frame run_user(void (*entry)(), u64 rflags = 0) { return run_user(reinterpret_cast<u64>(entry), rflags); }

/// The users' root is loaded once more. Gives the hypercall's answer.
i64 reload_users();

/// What the hypercall iret is given: words that a kernel could forge.
struct UserFrame {
    u64 flags = 0;  ///< abi::x86::vgcf: in_syscall lets the hypervisor return by SYSRET
    u64 rip = 0, cs = abi::x86::flat_ring3::cs64, rflags = 0x202, rsp = 0, ss = abi::x86::flat_ring3::ss64;
};
UserFrame user_frame(u64 entry, u64 rflags = 0);
Frame run_user(const UserFrame& frame);

/// As run_user(entry) with the handlers that are set, until one calls leave_user().
void run_user_with_handlers(u64 entry, u64 rflags = 0);

}  // namespace px::guest
