// The end of the machine: a crash's report, stopping the CPUs, rebooting or not.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/format.hpp"
#include "hypervisor/base/types.hpp"
#include "hypervisor/console/console.hpp"

namespace px::arch {

struct TrapFrame;

/// An exception in the hypervisor that nothing fixes: reports and ends. `details` prints more on its cause, by crash_print().
[[noreturn]] void crash_on_trap(const TrapFrame& frame, void (*details)() = nullptr);
/// Without locks: the CPU that has the console's may have been stopped.
template <class... Args>
void crash_print(std::string_view format, const Args&... args) {
    char line[200];
    console_write_emergency({line, format_to(line, format, args...)});
}
/// True from the first crash on: every CPU that notices stops.
bool crash_in_progress();
/// Interrupts off, halted for ever.
[[noreturn]] void stop_this_cpu();
/// An NMI that isn't a crash's: counted; the `N` debug key prints the counts.
void count_nmi(const TrapFrame& frame);

/// How the machine ends [xen command line reboot=]: the ways are tried in order until one works.
enum class RebootMethod : u8 { acpi, keyboard, triple_fault, pci };
[[noreturn]] void reboot_machine();
/// ACPI S5 where the tables name it; else halts. Interrupts may be on.
[[noreturn]] void power_off_machine();

/// The debug keys of this file: crash, reboot, count of NMIs.
void register_machine_keys();

/// From `noreboot` and `reboot=`.
void set_reboot_policy(bool reboot_after_crash, RebootMethod first);

/// The function that contains `address`, for stack traces; empty name where it is unknown.
struct SymbolName {
    const char* text;
    u8 length;
    u64 offset;
};
SymbolName symbol_of(u64 address);

}  // namespace px::arch
