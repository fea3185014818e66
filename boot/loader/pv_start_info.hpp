// What a PV kernel finds at its entry: its start info page, and the registers of its first vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "boot/loader/pv_start.hpp"
#include "hypervisor/abi/start_info.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"

namespace px::loader {

/// The two ends of a ring's page.
struct PvRing {
    u64 mfn = 0;
    u32 port = 0;
};

struct PvStartInfoRequest {
    u64 pages = 0;                                    ///< of the domain
    u64 shared_info = 0;                              ///< machine address of the page
    u32 flags = 0;                                    ///< abi::sif, beside those that the layout sets
    u64 ramdisk_size = 0;                             ///< bytes
    std::string_view command_line{};                  ///< without a NUL
    PvRing store{}, console{};                        ///< domU's
    std::optional<abi::Dom0VgaConsoleInfo> screen{};  ///< dom0's
};

/// Writes the start info and what follows it on its page. Errors: pv_command_line_too_long.
Loaded<> write_pv_start_info(const PvStart& plan, const PvStartInfoRequest& request, std::span<u8, page_size> page);

/// The first vCPU's state. `root`: machine frame number of the first table. Everything that isn't said is 0.
void fill_pv_context(const PvStart& plan, u64 root, abi::x86::VcpuGuestContext& out);

}  // namespace px::loader
