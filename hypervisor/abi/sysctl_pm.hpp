// System control: power management statistics and frequency scaling [xen/public sysctl.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

struct PmPxVal {
    u64 freq;       ///< MHz
    u64 residency;  ///< ns
    u64 count;      ///< transitions into it
};
struct PmPxStat {
    u8 total;
    u8 usable;
    u8 last;
    u8 cur;
    GuestHandle<u64> trans_pt;
    GuestHandle<PmPxVal> pt;
};
struct PmCxStat {
    u32 nr;
    u32 last;
    u64 idle_time;
    GuestHandle<u64> triggers;
    GuestHandle<u64> residencies;
    u32 nr_pc;
    u32 nr_cc;
    GuestHandle<u64> pc;
    GuestHandle<u64> cc;
};

inline constexpr u32 pmstat_category_mask = 0xf0, pmstat_px = 0x10, pmstat_cx = 0x20;
enum class PmstatType : u32 {
    get_max_px = 0x11,
    get_pxstat = 0x12,
    reset_pxstat = 0x13,
    get_max_cx = 0x21,
    get_cxstat = 0x22,
    reset_cxstat = 0x23,
};
struct SysctlGetPmstat {
    u32 type;  ///< PmstatType
    u32 cpuid;
    union {
        PmPxStat getpx;
        PmCxStat getcx;
    } u;
};

inline constexpr unsigned cpufreq_name_len = 16;
struct CpufreqUserspace {
    u32 scaling_setspeed;
};
struct CpufreqOndemand {
    u32 sampling_rate_max;
    u32 sampling_rate_min;
    u32 sampling_rate;
    u32 up_threshold;
};
struct GetCpufreqPara {
    u32 cpu_num;
    u32 freq_num;
    u32 gov_num;
    GuestHandle<u32> affected_cpus;
    GuestHandle<u32> scaling_available_frequencies;
    GuestHandle<char> scaling_available_governors;
    char scaling_driver[cpufreq_name_len];
    u32 cpuinfo_cur_freq;
    u32 cpuinfo_max_freq;
    u32 cpuinfo_min_freq;
    u32 scaling_cur_freq;
    char scaling_governor[cpufreq_name_len];
    u32 scaling_max_freq;
    u32 scaling_min_freq;
    union {
        CpufreqUserspace userspace;
        CpufreqOndemand ondemand;
    } u;
    i32 turbo_enabled;
};
struct SetCpufreqGov {
    char scaling_governor[cpufreq_name_len];
};
enum class CpufreqCtrl : u32 {
    scaling_max_freq = 1,
    scaling_min_freq = 2,
    scaling_setspeed = 3,
    sampling_rate = 4,
    up_threshold = 5,
};
struct SetCpufreqPara {
    u32 ctrl_type;  ///< CpufreqCtrl
    u32 ctrl_value;
};

inline constexpr u32 pm_para_category_mask = 0xf0, cpufreq_para = 0x10;
enum class PmOpCmd : u32 {
    get_cpufreq_para = 0x11,
    set_cpufreq_gov = 0x12,
    set_cpufreq_para = 0x13,
    get_cpufreq_avgfreq = 0x14,
    set_sched_opt_smt = 0x21,
    get_max_cstate = 0x22,
    set_max_cstate = 0x23,
    set_vcpu_migration_delay = 0x24,
    get_vcpu_migration_delay = 0x25,
    enable_turbo = 0x26,
    disable_turbo = 0x27,
};
inline constexpr u32 cx_unlimited = 0xffffffff;
struct SysctlPmOp {
    u32 cmd;    ///< PmOpCmd
    u32 cpuid;  ///< get, set_max_cstate: 0 C-states, 1 sub-states
    union {
        GetCpufreqPara get_para;
        SetCpufreqGov set_gov;
        SetCpufreqPara set_para;
        u64 get_avgfreq;
        u32 set_sched_opt_smt;
        u32 get_max_cstate;
        u32 set_max_cstate;
    } u;
};

}  // namespace px::abi
