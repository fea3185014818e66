// A domain's calls on its own vCPUs [xen/public vcpu.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"
#include "hypervisor/abi/shared_info.hpp"

namespace px::abi {

enum class VcpuOp : u32 {
    initialise = 0,  ///< arch::VcpuGuestContext, or arch::VcpuHvmContext of HVM guests
    up = 1,
    down = 2,
    is_up = 3,
    get_runstate_info = 4,
    register_runstate_memory_area = 5,
    set_periodic_timer = 6,
    stop_periodic_timer = 7,
    set_singleshot_timer = 8,
    stop_singleshot_timer = 9,
    register_vcpu_info = 10,
    send_nmi = 11,
    get_physid = 12,
    register_vcpu_time_memory_area = 13,
};

enum class Runstate : i32 { running = 0, runnable = 1, blocked = 2, offline = 3 };

/// Set in state_entry_time while the area is being written (VmassistType::runstate_update_flag).
inline constexpr u64 runstate_update = u64{1} << 63;

struct VcpuRunstateInfo {
    i32 state;  ///< Runstate
    u64 state_entry_time;
    u64 time[4];  ///< ns spent in each Runstate
};

struct VcpuRegisterRunstateMemoryArea {
    union {
        GuestHandle<VcpuRunstateInfo> h;  ///< linear address
        u64 p;
    } addr;
};

struct VcpuSetPeriodicTimer {
    u64 period_ns;
};

inline constexpr u32 singleshot_timer_future = 1u << 0;  ///< -ETIME instead of an event if the time has passed
struct VcpuSetSingleshotTimer {
    u64 timeout_abs_ns;
    u32 flags;
};

/// Moves the VcpuInfo out of the shared info page, for good.
struct VcpuRegisterVcpuInfo {
    u64 mfn;  ///< gfn of the caller
    u32 offset;
    u32 rsvd;
};

struct VcpuGetPhysid {
    u64 phys_id;  ///< ACPI id << 32 | APIC id
};

struct VcpuRegisterTimeMemoryArea {
    union {
        GuestHandle<VcpuTimeInfo> h;  ///< linear address
        u64 p;
    } addr;
};

}  // namespace px::abi
