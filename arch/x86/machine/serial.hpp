// Console devices of the machine: serial ports and the VGA text screen.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// Opens what `console=` names; says in the log what can't be opened. Before anything else that prints.
void open_consoles(const cmdline::BootOptions& options);
/// From then on typed characters interrupt; needs the local APIC and the I/O APICs.
void enable_console_input();
/// The machine port range of a serial console of ours; the hardware domain must not have it. size 0: none.
struct PortRange {
    u16 first;
    u16 count;
};
PortRange console_ports();

}  // namespace px::arch
