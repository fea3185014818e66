// What guest and hypervisor share without a call: pending events and time [xen/public xen.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/arch.hpp"
#include "hypervisor/base/types.hpp"

namespace px::abi {

/// VcpuTimeInfo::flags.
namespace pvclock {
inline constexpr u8 tsc_stable = 1 << 0;     ///< all vCPUs see one consistent clock
inline constexpr u8 guest_stopped = 1 << 1;  ///< the guest was paused for long: no soft-lockup alarm please
}  // namespace pvclock

/// The clock of a vCPU: now = system_time + ((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32, in
/// nanoseconds since boot (a negative shift shifts right). version is odd while the rest is being written.
struct VcpuTimeInfo {
    u32 version;
    u32 pad0;
    u64 tsc_timestamp;
    u64 system_time;
    u32 tsc_to_system_mul;
    i8 tsc_shift;
    u8 flags;  ///< pvclock
    u8 pad1[2];
};

/// One per vCPU. The event of a pending port p sets bit p, then bit p / 64 of evtchn_pending_sel, then
/// evtchn_upcall_pending, and raises the upcall unless that was set or the upcall is masked.
struct VcpuInfo {
    u8 evtchn_upcall_pending;
    u8 evtchn_upcall_mask;  ///< PV only; padding elsewhere
    u64 evtchn_pending_sel;
    arch::ArchVcpuInfo arch;
    VcpuTimeInfo time;
};

/// One per domain. Two-level event channels have 64 × 64 ports here. The wall clock is the time of boot:
/// seconds (sec_hi:sec) and nanoseconds since 1970 UTC, guarded by wc_version as in VcpuTimeInfo.
struct SharedInfo {
    VcpuInfo vcpu_info[arch::legacy_max_vcpus];
    u64 evtchn_pending[64];
    u64 evtchn_mask[64];
    u32 wc_version;
    u32 wc_sec;
    u32 wc_nsec;
    u32 wc_sec_hi;
    arch::ArchSharedInfo arch;
};

}  // namespace px::abi
