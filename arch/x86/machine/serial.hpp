// Serial consoles of the machine.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/machine/irq.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// Opens those that `console=` names; says in the log what can't be opened. Before anything else that prints.
void open_serial_consoles(const cmdline::BootOptions& options);
/// From then on typed characters are looked for, many times a second; needs this CPU's timers.
void enable_console_input();
/// The interrupt that a serial console of ours would use, by its ISA number; 0: none, it stays polled.
struct ConsoleLine {
    u8 irq = 0;
    InterruptTarget* target = nullptr;
};
ConsoleLine console_line();
/// The target is reached from that line now: typed characters interrupt, and polling ends.
void console_line_connected();
/// The machine port range of a serial console of ours; the hardware domain must not have it. size 0: none.
struct PortRange {
    u16 first;
    u16 count;
};
PortRange console_ports();

}  // namespace px::arch
