// Loading microcode into every CPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/entry/boot_info.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// Finds the update for this machine's CPUs where the loader or `ucode=` names a file, and loads it into this CPU; the log says what was
/// done or why nothing was. A module that is microcode is taken out of `info`. Once, on the boot CPU, after set_up_memory() and
/// before anything asks what the CPU can do.
void init_microcode(boot::BootInfo& info, const cmdline::MicrocodeOption& option);

/// The same update into this CPU, where it runs an older one. Silent but for a failure.
void load_microcode();

}  // namespace px::arch
