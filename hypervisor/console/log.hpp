// The hypervisor's log: levels, rate limit of guest-triggered lines, panic.
//
// A line goes into the ring that `xl dmesg` reads and, if its level passes `loglvl`, to the console devices.
// Callable from any context but NMI and #MC handlers (those use emergency_puts).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/format.hpp"

namespace px {

/// As in `loglvl=`: a smaller number is more severe. No line has the level `none`, a threshold that holds back all but `reply`, which is what
/// somebody has asked for.
enum class LogLevel : i8 { none = -1, error = 0, warning = 1, info = 2, debug = 3, reply = 127 };

/// Formats and emits one line; a newline is added. Lines are cut at 255 characters.
void vlog(LogLevel level, bool guest_triggered, std::string_view format, std::span<const FormatArg> arguments);

namespace detail {
template <class... Args>
void log(LogLevel level, bool guest, std::string_view format, const Args&... args) {
    const FormatArg arguments[sizeof...(Args) + 1] = {FormatArg(args)..., FormatArg(0u)};
    vlog(level, guest, format, std::span(arguments, sizeof...(Args)));
}
}  // namespace detail

template <class... Args>
void log_error(std::string_view format, const Args&... args) {
    detail::log(LogLevel::error, false, format, args...);
}
template <class... Args>
void log_warning(std::string_view format, const Args&... args) {
    detail::log(LogLevel::warning, false, format, args...);
}
template <class... Args>
void log_info(std::string_view format, const Args&... args) {
    detail::log(LogLevel::info, false, format, args...);
}
template <class... Args>
void log_debug(std::string_view format, const Args&... args) {
    detail::log(LogLevel::debug, false, format, args...);
}
/// A line of the answer to a debug key or another request of the machine's owner.
template <class... Args>
void log_reply(std::string_view format, const Args&... args) {
    detail::log(LogLevel::reply, false, format, args...);
}

/// A line that a guest can provoke at will: obeys `guest_loglvl` and is rate limited.
template <class... Args>
void guest_log(LogLevel level, std::string_view format, const Args&... args) {
    detail::log(level, true, format, args...);
}

/// Prints the reason, registers and a symbolised stack, stops the other CPUs, then obeys noreboot/reboot=.
[[noreturn]] void vpanic(std::string_view format, std::span<const FormatArg> arguments);

template <class... Args>
[[noreturn]] void panic(std::string_view format, const Args&... args) {
    const FormatArg arguments[sizeof...(Args) + 1] = {FormatArg(args)..., FormatArg(0u)};
    vpanic(format, std::span(arguments, sizeof...(Args)));
}

}  // namespace px

/// A promise between two functions of ours. Never used on values that a guest supplies.
#define PX_ASSERT(condition)                                                               \
    do {                                                                                   \
        if (!(condition)) [[unlikely]]                                                     \
            ::px::panic("assertion '{}' failed at {}:{}", #condition, __FILE__, __LINE__); \
    } while (false)
