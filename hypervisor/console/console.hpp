// The console: devices, the ring that `xl dmesg` reads, and who gets the typed characters.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "hypervisor/base/result.hpp"
#include "hypervisor/console/log.hpp"

namespace px {

/// A device that shows text. Called with the console's lock held, interrupts off.
class ConsoleDevice {
public:
    virtual void write(std::string_view text) = 0;
    /// Of a crash: without the lock, and also where the device shows nothing otherwise.
    virtual void write_emergency(std::string_view text) { write(text); }
    /// The next typed character, if any. Read until there is none: only then may the device call for the next look by itself.
    virtual bool read(char&) { return false; }

protected:
    ~ConsoleDevice() = default;
};

/// Adds a device; it first gets everything that the ring holds. At most 4.
void console_add_device(ConsoleDevice& device);
/// Thresholds of `loglvl` and `guest_loglvl`: the lower one prints always, between both at a limited rate.
struct LogThresholds {
    LogLevel always, limited;
};
void console_set_levels(LogThresholds host, LogThresholds guest);
void console_set_timestamps(bool on);
LogThresholds console_levels(bool guest);

/// Whole lines of ours, into the ring as well; they don't go on in a line that the hardware domain has begun.
void console_write(std::string_view text);
/// What the hardware domain prints: into the ring only where console_keep_owner_text() was told so (`console_to_ring`).
void console_write_owner(std::string_view text);
void console_keep_owner_text(bool keep);
/// For crashes: no lock, no ring.
void console_write_emergency(std::string_view text);

/// Polls the devices for typed characters; called by the console softirq. Three times the switch character moves the input
/// between the hardware domain (VIRQ_CONSOLE) and the hypervisor's own keys.
void console_poll_input();
/// The switch character is Ctrl and `letter`, a to z; who has the input first. Before the first poll.
void console_set_switch(char letter, bool starts_with_hypervisor);
/// Characters typed for the hardware domain [xen/public console_io read]; returns how many.
usize console_read(std::span<char> out);

/// [xen/public sysctl.h readconsole]: copies from ring position `*index` on (the oldest if it is gone), moves `*index`.
usize console_ring_read(u64* index, std::span<char> out);
void console_ring_clear();
u64 console_ring_head();

}  // namespace px
