// PV's start of day: where everything that a PV kernel finds at its entry goes in its pseudo-physical memory
// [xen/public xen.h, "Start-of-day memory layout"].
//
//   frame 0 at VIRT_BASE                                                             a multiple of 4 MiB
//   |   | kernel | ramdisk | p2m list | start info | store | console | tables | stack | at least 512 KiB |
//                  └ not by PFN └ not by INIT_P2M      └ domU only ┘     └ read-only
//
// All of it is mapped from the first frame on. Behind it, unmapped there: the p2m list that INIT_P2M wants elsewhere, with the
// tables that map it, then the ramdisk of a kernel that takes it by PFN.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "boot/loader/kernel_image.hpp"

namespace px::loader {

struct PvStartRequest {
    PvImage image;
    u64 pages = 0;                ///< of the domain
    u64 ramdisk_size = 0;         ///< bytes, 0: none
    bool ramdisk_by_pfn = false;  ///< KernelNotes::mod_start_pfn
    bool has_rings = false;       ///< pages of xenstore and console: all but dom0
};

/// Pseudo-physical frames.
struct PfnRange {
    u64 first = 0;
    u64 count = 0;
    constexpr u64 end() const { return first + count; }
    constexpr bool contains(u64 pfn) const { return pfn >= first && pfn - first < count; }
    friend constexpr bool operator==(PfnRange, PfnRange) = default;
};

/// Page tables of one level one after the other, both in memory and in what they map: table `first_index + i` maps the
/// 2^(12 + 9 * level) bytes from (first_index + i) times as much on, of the lower 48 bits of an address.
struct TableRun {
    unsigned level = 0;
    u64 first_index = 0;
    PfnRange place;
    constexpr bool holds(u64 index) const { return index >= first_index && index - first_index < place.count; }
    constexpr u64 pfn_of(u64 index) const { return place.first + (index - first_index); }
};

struct PvStart {
    u64 base = 0;    ///< virtual address of frame 0
    u64 entry = 0;   ///< virtual
    u64 mapped = 0;  ///< frames mapped from `base` on
    PfnRange kernel{}, ramdisk{}, p2m{};
    u64 start_info = 0, store = 0, console = 0;  ///< pfn; store, console: 0: none
    PfnRange tables{};                           ///< begins with the root
    u64 stack = 0;                               ///< pfn of the only page
    u64 p2m_address = 0;                         ///< virtual
    bool p2m_apart = false;                      ///< by INIT_P2M
    PfnRange p2m_tables{};                       ///< those that map only a list apart
    bool ramdisk_by_pfn = false;

    std::array<TableRun, 4> runs{};      ///< level 4 … 1
    std::array<TableRun, 4> p2m_runs{};  ///< the same of p2m_tables; empty at level 4

    constexpr u64 to_virtual(u64 pfn) const { return base + (pfn << page_shift); }
    /// Frames that hold something; those up to the domain's last are free.
    constexpr u64 used() const { return std::max({mapped, p2m.end(), p2m_tables.end(), ramdisk.end()}); }
};

/// Finds a place for everything. Errors: pv_addresses_taken, pv_base_unaligned, pv_p2m_in_the_way, pv_too_little_memory.
Loaded<PvStart> plan_pv_start(const PvStartRequest& request);

}  // namespace px::loader
