// The console.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/console/console.hpp"

#include <algorithm>
#include <array>

#include "arch/time.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/console/input.hpp"
#include "hypervisor/console/rate_limit.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px {
namespace {

constexpr usize ring_size = 65536;
constexpr usize max_devices = 4;
constexpr usize longest_line = 255;

struct Console {
    std::array<ConsoleDevice*, max_devices> devices{};
    usize device_count = 0;
    std::array<char, ring_size> ring{};
    u64 head = 0;                    ///< characters ever written
    u64 cleared = 0;                 ///< what lies before was cleared by the toolstack
    bool devices_amid_line = false;  ///< the hardware domain hasn't ended its line

    u64 oldest() const { return std::max(cleared, head > ring_size ? head - ring_size : 0); }

    bool ring_amid_line() const { return head != 0 && ring[(head - 1) % ring_size] != '\n'; }

    void to_ring(std::string_view text) {
        for (char c : text) ring[head++ % ring_size] = c;
    }
    void to_devices(std::string_view text) {
        if (!text.empty()) devices_amid_line = text.back() != '\n';
        for (usize i = 0; i < device_count; ++i) devices[i]->write(text);
    }
};

constinit Locked<Console, LockRank::console> console;
constinit LogThresholds host_levels{LogLevel::info, LogLevel::info};
constinit LogThresholds guest_levels{LogLevel::error, LogLevel::warning};
constinit bool timestamps = false;
constinit bool keeps_owner_text = false;
constinit RateLimit limited_lines;
constinit ConsoleInput input;

usize put_prefix(std::span<char> line, LogLevel level, bool guest) {
    usize used = 0;
    if (timestamps) {
        const u64 now = static_cast<u64>(arch::now().raw);
        used = format_to(line, "[{:5}.{:06}] ", now / 1'000'000'000, now / 1'000 % 1'000'000);
    }
    const std::string_view tag = level == LogLevel::error ? "error: " : level == LogLevel::warning ? "warning: " : "";
    return used + format_to(line.subspan(used), "(PX) {}{}", guest ? "guest: " : "", tag);
}

}  // namespace

void console_add_device(ConsoleDevice& device) {
    auto guard = console.lock();
    if (guard->device_count == max_devices) return;
    guard->devices[guard->device_count++] = &device;
    for (u64 at = guard->oldest(); at < guard->head;) {
        const u64 place = at % ring_size, count = std::min(guard->head - at, ring_size - place);  // as far as the ring's end
        device.write({guard->ring.data() + place, count});
        at += count;
    }
}

void console_set_levels(LogThresholds host, LogThresholds guest) {
    host_levels = host;
    guest_levels = guest;
}
LogThresholds console_levels(bool guest) { return guest ? guest_levels : host_levels; }
void console_set_timestamps(bool on) { timestamps = on; }

void vlog(LogLevel level, bool guest, std::string_view format, std::span<const FormatArg> arguments) {
    const LogThresholds thresholds = guest ? guest_levels : host_levels;
    if (level != LogLevel::reply) {
        if (level > std::max(thresholds.always, thresholds.limited)) return;
        if (level > thresholds.always && !limited_lines.allow(static_cast<u64>(arch::now().raw))) return;
    }
    std::array<char, longest_line + 1> line;
    const std::span<char> text(line.data(), longest_line);
    usize used = put_prefix(text, level, guest);
    used += vformat(text.subspan(used), format, arguments);
    line[used++] = '\n';
    console_write({line.data(), used});
}

void console_write(std::string_view text) {
    auto guard = console.lock();
    if (guard->ring_amid_line()) guard->to_ring("\n");
    guard->to_ring(text);
    if (guard->devices_amid_line) guard->to_devices("\n");
    guard->to_devices(text);
}

void console_write_owner(std::string_view text) {
    auto guard = console.lock();
    if (keeps_owner_text) guard->to_ring(text);
    guard->to_devices(text);
}

void console_keep_owner_text(bool keep) { keeps_owner_text = keep; }

void console_write_emergency(std::string_view text) {
    Console& crashing = console.unlocked();
    for (usize i = 0; i < crashing.device_count; ++i) crashing.devices[i]->write_emergency(text);
}

usize console_ring_read(u64* index, std::span<char> out) {
    auto guard = console.lock();
    *index = std::clamp(*index, guard->oldest(), guard->head);
    usize count = 0;
    while (count < out.size() && *index < guard->head) out[count++] = guard->ring[(*index)++ % ring_size];
    return count;
}

void console_ring_clear() {
    auto guard = console.lock();
    guard->cleared = guard->head;
}

u64 console_ring_head() { return console.lock()->head; }

void console_poll_input() {
    // Characters leave the devices under the lock; what they cause happens without it.
    std::array<char, 64> typed;
    usize count = 0;
    {
        auto guard = console.lock();
        for (usize i = 0; i < guard->device_count; ++i) {
            while (count < typed.size() && guard->devices[i]->read(typed[count])) ++count;
        }
    }
    for (usize i = 0; i < count; ++i) input.typed(typed[i]);
    if (count == typed.size()) raise_softirq(Softirq::console);  // a device may hold more
}

void console_set_switch(char letter, bool starts_with_hypervisor) { input.set_switch(letter, starts_with_hypervisor); }

usize console_read(std::span<char> out) { return input.read(out); }

}  // namespace px
