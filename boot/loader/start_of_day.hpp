// PVH's start of day: where ramdisk, command line and start info go in a guest's memory, and the start info's
// bytes [xen/public arch-x86/hvm/start_info.h].
//
//   kernel.start        kernel.end   tables               modules, in order                4 GiB
//   |     kernel        |        |pg| start info, modlist, |pg| ramdisk |pg| next module … |
//                                    memmap, strings
//
// The rule: one page-aligned block of tables, then each module page-aligned, each at the lowest place behind
// the one before that is all RAM, above the kernel and below 4 GiB. Ranges that aren't RAM are stepped over;
// adjacent RAM ranges count as one.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "boot/loader/errors.hpp"
#include "boot/loader/extent.hpp"
#include "hypervisor/abi/start_info.hpp"

namespace px::loader {

/// A file beside the kernel; the first one is the ramdisk.
struct StartModule {
    u64 size = 0;  ///< bytes
    std::string_view command_line{};
};

struct StartOfDayRequest {
    std::span<const abi::HvmMemmapTableEntry> memory_map;  ///< in any order; handed to the guest as it is
    Extent kernel;                                         ///< KernelImage::extent()
    std::string_view command_line{};                       ///< without a NUL
    std::span<const StartModule> modules{};                ///< at most StartOfDay::max_modules
    u64 rsdp = 0;                                          ///< guest physical address of the ACPI root pointer, 0: none
    u32 flags = 0;                                         ///< abi::sif
};

struct StartOfDay {
    static constexpr usize max_modules = 16;

    Extent tables;                              ///< begins with the start info
    std::array<Extent, max_modules> modules{};  ///< as many as were asked for

    /// What a PVH kernel finds in ebx.
    constexpr Gpaddr start_info() const { return Gpaddr{tables.start}; }
};

/// Finds a place for everything. Errors: memory_map_empty, memory_map_invalid, kernel_outside_ram,
/// tables_do_not_fit, ramdisk_does_not_fit (any module), too_many_modules.
Loaded<StartOfDay> plan_start_of_day(const StartOfDayRequest& request);

/// Writes the tables' bytes, to be copied to plan.tables.start; `plan` is the answer to `request`. Returns
/// plan.tables.size(). Errors: buffer_too_small if `output` is shorter than that.
Loaded<usize> serialise(const StartOfDayRequest& request, const StartOfDay& plan, std::span<u8> output);

}  // namespace px::loader
