// The hardware domain: built by the hypervisor from the boot modules, as PVH with memory mapped 1:1, or as PV.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/entry/boot_info.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::dom0 {

/// Each builds and starts domain 0 of its kind; panics with the reason where that can't be.
void create_pvh(const boot::BootInfo& info, const cmdline::BootOptions& options);
void create_pv(const boot::BootInfo& info, const cmdline::BootOptions& options);

/// Whether dom0 may come to be PVH (kind.hpp), whose memory is set aside at its own addresses. Asked before it is known whether the processor's
/// virtualization can be used.
bool wants_own_addresses(const cmdline::BootOptions& options);

/// Its share of RAM: what dom0_mem= says, else half of it, at most 8 GiB. Guests get what is left.
u64 share_of(const cmdline::BootOptions& options, u64 ram_frames);
/// How far it may grow: what dom0_mem=max: says, or `share`.
u64 most_frames(const cmdline::BootOptions& options, u64 ram_frames, u64 share);

}  // namespace px::dom0

namespace px::arch {

/// Chooses domain 0's kind, builds it from the first module (kernel) and the second (initrd), and starts it. Panics with the reason where it
/// can't be: there is no machine without it.
void create_dom0(const boot::BootInfo& info, const cmdline::BootOptions& options);

}  // namespace px::arch
