// Options whose values have a grammar of their own.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/cmdline/option.hpp"

namespace px::cmdline {

Outcome store_console(BootOptions& options, const Argument& argument);
Outcome store_vga(BootOptions& options, const Argument& argument);
Outcome store_ucode(BootOptions& options, const Argument& argument);
Outcome store_console_timestamps(BootOptions& options, const Argument& argument);
Outcome store_loglvl(BootOptions& options, const Argument& argument);
Outcome store_guest_loglvl(BootOptions& options, const Argument& argument);
Outcome store_conswitch(BootOptions& options, const Argument& argument);
Outcome store_dom0(BootOptions& options, const Argument& argument);
Outcome store_dom0pvh(BootOptions& options, const Argument& argument);
Outcome store_pv(BootOptions& options, const Argument& argument);
Outcome store_dom0_mem(BootOptions& options, const Argument& argument);
Outcome store_dom0_max_vcpus(BootOptions& options, const Argument& argument);
Outcome store_reboot(BootOptions& options, const Argument& argument);
Outcome store_spec_ctrl(BootOptions& options, const Argument& argument);
Outcome store_smep(BootOptions& options, const Argument& argument);
Outcome store_smap(BootOptions& options, const Argument& argument);
Outcome store_tsc(BootOptions& options, const Argument& argument);

}  // namespace px::cmdline
