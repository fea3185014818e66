// What a kernel finds at its entry: PV's start info page and PVH's start info
// [xen/public xen.h, arch-x86/hvm/start_info.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

inline constexpr unsigned max_guest_cmdline = 1024;

/// StartInfo::flags.
namespace sif {
inline constexpr u32 privileged = 1u << 0;
inline constexpr u32 initdomain = 1u << 1;       ///< the initial control domain
inline constexpr u32 multiboot_mod = 1u << 2;    ///< mod_start points to a list of MultibootModList
inline constexpr u32 mod_start_pfn = 1u << 3;    ///< mod_start is a pfn
inline constexpr u32 virt_p2m_4tools = 1u << 4;  ///< tools can follow a linear p2m list
inline constexpr u32 pm_mask = 0xffu << 8;       ///< power management that dom0 does itself
}  // namespace sif

/// A PV guest's first page of information. Addresses are of the guest's initial mapping unless said otherwise.
struct StartInfo {
    char magic[32];   ///< "xen-<version>-<platform>"
    u64 nr_pages;     ///< pages of the domain
    u64 shared_info;  ///< machine address
    u32 flags;        ///< sif
    u64 store_mfn;
    u32 store_evtchn;
    union {
        struct {
            u64 mfn;
            u32 evtchn;
        } domU;
        struct {
            u32 info_off;   ///< of the Dom0VgaConsoleInfo within this page
            u32 info_size;  ///< bytes, 0: none
        } dom0;
    } console;
    u64 pt_base;
    u64 nr_pt_frames;
    u64 mfn_list;   ///< p2m table
    u64 mod_start;  ///< initrd
    u64 mod_len;
    i8 cmd_line[max_guest_cmdline];
    u64 first_p2m_pfn;  ///< frames of the p2m table, if it is mapped apart (elfnote init_p2m)
    u64 nr_p2m_frames;
};

struct MultibootModList {
    u32 mod_start;
    u32 mod_end;
    u32 cmdline;
    u32 pad;
};

enum class VgaType : u8 { text_mode_3 = 0x03, vesa_lfb = 0x23, efi_lfb = 0x70 };

/// The screen that dom0 inherits.
struct Dom0VgaConsoleInfo {
    u8 video_type;  ///< VgaType
    union {
        struct {
            u16 font_height;
            u16 cursor_x, cursor_y;
            u16 rows, columns;
        } text_mode_3;
        struct {
            u16 width, height;
            u16 bytes_per_line;
            u16 bits_per_pixel;
            u32 lfb_base;
            u32 lfb_size;  ///< in units of 64 KiB
            u8 red_pos, red_size;
            u8 green_pos, green_size;
            u8 blue_pos, blue_size;
            u8 rsvd_pos, rsvd_size;
            u32 gbl_caps;
            u16 mode_attrs;
            u16 pad;
            u32 ext_lfb_base;  ///< upper half of lfb_base
        } vesa_lfb;
    } u;
};

/// PVH start info: a PVH kernel is entered with its physical address in ebx.
inline constexpr u32 hvm_start_magic = 0x336ec578;

/// Physical addresses throughout; 0: not there. memmap fields exist from version 1 on.
struct HvmStartInfo {
    u32 magic;  ///< hvm_start_magic
    u32 version;
    u32 flags;  ///< sif
    u32 nr_modules;
    u64 modlist_paddr;  ///< HvmModlistEntry array
    u64 cmdline_paddr;
    u64 rsdp_paddr;
    u64 memmap_paddr;  ///< HvmMemmapTableEntry array
    u32 memmap_entries;
    u32 reserved;
};
inline constexpr u32 hvm_start_version = 1;

struct HvmModlistEntry {
    u64 paddr;
    u64 size;
    u64 cmdline_paddr;
    u64 reserved;
};

enum class HvmMemmapType : u32 {
    ram = 1,
    reserved = 2,
    acpi = 3,
    nvs = 4,
    unusable = 5,
    disabled = 6,
    pmem = 7,
};

struct HvmMemmapTableEntry {
    u64 addr;
    u64 size;
    u32 type;  ///< HvmMemmapType: the numbers of ACPI's E820
    u32 reserved;
};

}  // namespace px::abi
