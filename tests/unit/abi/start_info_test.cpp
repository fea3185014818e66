// ABI comparison: start info.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/arch-x86/hvm/start_info.h>

#include "hypervisor/abi/shared_info.hpp"
#include "hypervisor/abi/start_info.hpp"

// start_info.hpp
SAME(max_guest_cmdline, MAX_GUEST_CMDLINE);
SAME(sif::privileged, SIF_PRIVILEGED);
SAME(sif::initdomain, SIF_INITDOMAIN);
SAME(sif::multiboot_mod, SIF_MULTIBOOT_MOD);
SAME(sif::mod_start_pfn, SIF_MOD_START_PFN);
SAME(sif::virt_p2m_4tools, SIF_VIRT_P2M_4TOOLS);
SAME(sif::pm_mask, SIF_PM_MASK);
SAME(hvm_start_magic, XEN_HVM_START_MAGIC_VALUE);
SAME(VgaType::text_mode_3, XEN_VGATYPE_TEXT_MODE_3);
SAME(VgaType::vesa_lfb, XEN_VGATYPE_VESA_LFB);
SAME(VgaType::efi_lfb, XEN_VGATYPE_EFI_LFB);
SAME(HvmMemmapType::ram, XEN_HVM_MEMMAP_TYPE_RAM);
SAME(HvmMemmapType::reserved, XEN_HVM_MEMMAP_TYPE_RESERVED);
SAME(HvmMemmapType::acpi, XEN_HVM_MEMMAP_TYPE_ACPI);
SAME(HvmMemmapType::nvs, XEN_HVM_MEMMAP_TYPE_NVS);
SAME(HvmMemmapType::unusable, XEN_HVM_MEMMAP_TYPE_UNUSABLE);
SAME(HvmMemmapType::disabled, XEN_HVM_MEMMAP_TYPE_DISABLED);
SAME(HvmMemmapType::pmem, XEN_HVM_MEMMAP_TYPE_PMEM);
SAME_STRUCT(StartInfo, start_info, magic, nr_pages, shared_info, flags, store_mfn, store_evtchn, console, console.domU, console.domU.mfn,
            console.domU.evtchn, console.dom0, console.dom0.info_off, console.dom0.info_size, pt_base, nr_pt_frames, mfn_list, mod_start,
            mod_len, cmd_line, first_p2m_pfn, nr_p2m_frames);
SAME_STRUCT(MultibootModList, xen_multiboot_mod_list, mod_start, mod_end, cmdline, pad);
SAME_STRUCT(Dom0VgaConsoleInfo, dom0_vga_console_info, video_type, u, u.text_mode_3, u.text_mode_3.font_height, u.text_mode_3.cursor_x,
            u.text_mode_3.cursor_y, u.text_mode_3.rows, u.text_mode_3.columns, u.vesa_lfb, u.vesa_lfb.width, u.vesa_lfb.height,
            u.vesa_lfb.bytes_per_line, u.vesa_lfb.bits_per_pixel, u.vesa_lfb.lfb_base, u.vesa_lfb.lfb_size, u.vesa_lfb.red_pos,
            u.vesa_lfb.red_size, u.vesa_lfb.green_pos, u.vesa_lfb.green_size, u.vesa_lfb.blue_pos, u.vesa_lfb.blue_size,
            u.vesa_lfb.rsvd_pos, u.vesa_lfb.rsvd_size, u.vesa_lfb.gbl_caps, u.vesa_lfb.mode_attrs, u.vesa_lfb.pad, u.vesa_lfb.ext_lfb_base);
SAME_STRUCT(HvmStartInfo, hvm_start_info, magic, version, flags, nr_modules, modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr,
            memmap_entries, reserved);
SAME_STRUCT(HvmModlistEntry, hvm_modlist_entry, paddr, size, cmdline_paddr, reserved);
SAME_STRUCT(HvmMemmapTableEntry, hvm_memmap_table_entry, addr, size, type, reserved);

// shared_info.hpp
SAME(pvclock::tsc_stable, XEN_PVCLOCK_TSC_STABLE_BIT);
SAME(pvclock::guest_stopped, XEN_PVCLOCK_GUEST_STOPPED);
SAME_STRUCT(VcpuTimeInfo, vcpu_time_info, version, pad0, tsc_timestamp, system_time, tsc_to_system_mul, tsc_shift, flags, pad1);
SAME_STRUCT(VcpuInfo, vcpu_info, evtchn_upcall_pending, evtchn_upcall_mask, evtchn_pending_sel, arch, time);
SAME_STRUCT(SharedInfo, shared_info, vcpu_info, evtchn_pending, evtchn_mask, wc_version, wc_sec, wc_nsec, wc_sec_hi, arch);
