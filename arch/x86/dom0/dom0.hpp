// The hardware domain: built by the hypervisor from the boot modules, as PVH with memory mapped 1:1.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/entry/boot_info.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// Builds and starts domain 0 from the first module (kernel) and the second (initrd). Panics with the reason where it
/// can't be: there is no machine without it.
void create_dom0(const boot::BootInfo& info, const cmdline::BootOptions& options);

}  // namespace px::arch
