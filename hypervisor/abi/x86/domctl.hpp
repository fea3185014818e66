// Domain control, the parts that are x86's [xen/public domctl.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"
#include "hypervisor/abi/x86/domain.hpp"
#include "hypervisor/abi/x86/hvm_save.hpp"

namespace px::abi::x86 {

/// PV state beyond VcpuGuestContext.
struct DomctlExtVcpucontext {
    u32 vcpu;
    u32 size;  ///< of this structure; get: OUT
    u64 syscall32_callback_eip;
    u64 sysenter_callback_eip;
    u16 syscall32_callback_cs;
    u16 sysenter_callback_cs;
    u8 syscall32_disables_events;
    u8 sysenter_disables_events;
    union {
        u64 mcg_cap;
        HvmVmceVcpu vmce;
    };
};

/// With null handles: OUT the largest counts. set: err_* tell the first refused leaf or MSR, ~0 if none.
struct DomctlCpuPolicy {
    u32 nr_leaves;
    u32 nr_msrs;
    GuestHandle<CpuidLeaf> leaves;
    GuestHandle<MsrEntry> msrs;
    u32 err_leaf, err_subleaf, err_msr;
};

/// XSAVE state: xcr0, xcr0_accum, then the area, of `size` bytes together. Null buffer: OUT size and mask.
struct DomctlVcpuextstate {
    u32 vcpu;
    u64 xfeature_mask;
    u64 size;
    GuestHandle<u64> buffer;
};

struct DomctlVcpuMsr {
    u32 index;
    u32 reserved;
    u64 value;
};
struct DomctlVcpuMsrs {
    u32 vcpu;
    u32 msr_count;
    GuestHandle<DomctlVcpuMsr> msrs;
};

/// DomctlBindPtIrq's msi.gflags.
namespace vmsi {
inline constexpr u32 dest_id_mask = 0x0000ff;
inline constexpr u32 rh_mask = 0x000100;
inline constexpr u32 dm_mask = 0x000200;
inline constexpr u32 deliv_mask = 0x007000;
inline constexpr u32 trig_mask = 0x008000;
inline constexpr u32 unmasked = 0x010000;
}  // namespace vmsi

}  // namespace px::abi::x86
