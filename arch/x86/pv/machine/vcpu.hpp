// A PV vCPU and a PV domain on the real machine.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/bounce.hpp"
#include "arch/x86/pv/guest.hpp"
#include "arch/x86/traps/trap_frame.hpp"

namespace px::pv {

/// Where the processor leaves the guest: TSS.RSP0 and the SYSCALL entry name the end of `frame`, so the guest's registers are stored once,
/// where they stay. The entry code goes on on the CPU's stack. entry.S knows the offsets.
struct EntryArea {
    arch::TrapFrame frame{};
    u64 host_stack = 0;  ///< the CPU's stack as it was when the guest was entered
    u64 padding = 0;     ///< keeps the frame's end aligned to 16 bytes, as the processor would
};
static_assert(sizeof(arch::TrapFrame) == 176 && __builtin_offsetof(EntryArea, host_stack) == 176);

/// Where the guest's kernel wants to be entered.
struct Callback {
    u64 address = 0;
    bool masks_events = false;
};

/// Segment registers that stay on the CPU while the vCPU runs: the guest changes them by itself.
struct SegmentState {
    u16 ds = 0, es = 0, fs = 0, gs = 0;
    u64 fs_base = 0, gs_base = 0;  ///< GS: of the mode that the vCPU is in
    u64 other_gs_base = 0;         ///< of the other mode: swapped when it changes
};

struct VcpuState {
    EntryArea area;  ///< first: the entry code finds it by the frame
    VcpuMemory& memory;
    bool in_kernel = true;    ///< of the guest; else its users run, on their root table
    bool by_sysret = false;   ///< the way back to the guest may be SYSRET: rcx and r11 are lost there
    bool nmi_masked = false;  ///< an NMI callback runs, until iret
    u16 kernel_ss = 0;
    u64 kernel_sp = 0;  ///< where users enter the kernel
    Callback event, failsafe, syscall, syscall32, nmi;
    u64 iopl = 0;
    u64 io_bitmap = 0;  ///< linear address
    u32 io_bitmap_ports = 0;
    SegmentState segments;
    TrapTable traps;

    explicit VcpuState(VcpuMemory& of) : memory(of) {}
};

struct DomainState {
    explicit DomainState(Domain& domain) : guest(domain) {}
    Guest guest;
};

/// Whether translations that PV guests made may exist.
bool any_domain_existed();

/// The state of a vCPU of a PV domain.
inline VcpuState& state_of(Vcpu& vcpu) { return *vcpu.arch.pv; }

}  // namespace px::pv
