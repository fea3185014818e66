// Parameters of HVM and PVH domains [xen/public hvm/params.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class HvmParam : u32 {
    callback_irq = 0,  ///< how events are signalled: HvmCallbackType in bits 56–63
    store_pfn = 1,
    store_evtchn = 2,
    pae_enabled = 4,
    ioreq_pfn = 5,
    bufioreq_pfn = 6,
    viridian = 9,
    timer_mode = 10,
    hpet_enabled = 11,
    ident_pt = 12,  ///< guest physical address of an identity map, for VMX without unrestricted guest
    dm_domain = 13,
    acpi_s_state = 14,
    vm86_tss = 15,
    vpt_align = 16,
    console_pfn = 17,
    console_evtchn = 18,
    acpi_ioports_location = 19,
    memory_event_cr0 = 20,
    memory_event_cr3 = 21,
    memory_event_cr4 = 22,
    memory_event_int3 = 23,
    nestedhvm = 24,
    memory_event_single_step = 25,
    bufioreq_evtchn = 26,
    paging_ring_pfn = 27,
    monitor_ring_pfn = 28,
    sharing_ring_pfn = 29,
    memory_event_msr = 30,
    triple_fault_reason = 31,
    ioreq_server_pfn = 32,
    nr_ioreq_server_pages = 33,
    vm_generation_id_addr = 34,
    altp2m = 35,
    x87_fip_width = 36,
    vm86_tss_sized = 37,  ///< size << 32 | address
    mca_cap = 38,
};
inline constexpr unsigned hvm_nr_params = 39;

/// gsi: bits 0–55. pci_intx: domain << 32 | bus << 16 | devfn << 8 | pin 0–3 in bits 0–1. vector: bits 0–7.
enum class HvmCallbackType : u8 { gsi = 0, pci_intx = 1, vector = 2 };
inline constexpr u64 hvm_callback_irq_type_mask = 0xff00'0000'0000'0000;

/// Viridian (Hyper-V) enlightenments: bits of HvmParam::viridian.
namespace hvmpv {
inline constexpr u64 base_freq = 1u << 0;
inline constexpr u64 no_freq = 1u << 1;
inline constexpr u64 time_ref_count = 1u << 2;
inline constexpr u64 reference_tsc = 1u << 3;
inline constexpr u64 hcall_remote_tlb_flush = 1u << 4;
inline constexpr u64 apic_assist = 1u << 5;
inline constexpr u64 crash_ctl = 1u << 6;
inline constexpr u64 synic = 1u << 7;
inline constexpr u64 stimer = 1u << 8;
inline constexpr u64 hcall_ipi = 1u << 9;
inline constexpr u64 ex_processor_masks = 1u << 10;
inline constexpr u64 no_vp_limit = 1u << 11;
inline constexpr u64 cpu_hotplug = 1u << 12;
inline constexpr u64 feature_mask = (1u << 13) - 1;
}  // namespace hvmpv

/// What becomes of timer ticks that a descheduled vCPU missed.
enum class HvmTimerMode : u64 {
    delay_for_missed_ticks = 0,
    no_delay_for_missed_ticks = 1,
    no_missed_ticks_pending = 2,
    one_missed_tick_pending = 3,
};

enum class Altp2mMode : u64 { disabled = 0, mixed = 1, external = 2, limited = 3 };

inline constexpr u64 hvm_mca_cap_lmce = 1u << 0;
inline constexpr u64 hvm_mca_cap_mask = hvm_mca_cap_lmce;

}  // namespace px::abi
