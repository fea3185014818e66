// The machine's screen as a console: VGA text, or a framebuffer that firmware or boot loader has set up.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/entry/boot_info.hpp"
#include "hypervisor/abi/start_info.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// Takes note of the screen and, with `as_console`, prints on it: at once where boot's page tables reach it (below 4 GiB), else from
/// screen_is_mapped() on, when it shows what was printed before. Says in the log what can't be done.
void open_screen(const boot::BootInfo& info, const cmdline::VgaOption& wanted, bool as_console);

/// Machine addresses of what the console writes to, page aligned; size 0: nothing. Mapped at the direct map's address.
struct ScreenMemory {
    u64 start = 0, size = 0;
};
ScreenMemory screen_memory();
/// The address space that maps it is in use.
void screen_is_mapped();

/// The hardware domain is about to start: nothing more is printed there, unless `vga=keep`; a crash is.
void give_screen_to_owner();

/// What the hardware domain is told of the screen. Errors: enodata (there is none).
Result<abi::Dom0VgaConsoleInfo> screen_of_owner();

}  // namespace px::arch
