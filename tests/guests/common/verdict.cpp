// Checks, the verdict, and the options of a tiny kernel, however it was started.
//
// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "tests/guests/common/console.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constinit std::atomic<unsigned> checks{0}, failures{0};

}  // namespace

u64 option(std::string_view key, u64 otherwise) {
    const std::string_view line = command_line();
    for (usize at = line.find(key); at != line.npos; at = line.find(key, at + 1)) {
        const bool begins_word = at == 0 || line[at - 1] == ' ';
        usize digit = at + key.size();
        if (!begins_word || digit >= line.size() || line[digit] != '=') continue;
        u64 value = 0;
        while (++digit < line.size() && line[digit] >= '0' && line[digit] <= '9') value = value * 10 + (line[digit] - '0');
        return value;
    }
    return otherwise;
}

bool check(bool good, const char* file, unsigned line, std::string_view text) {
    ++checks;
    if (good) return true;
    ++failures;
    print("PX-CHECK {} {}:{} {}\n", guest_name, file, line, text);
    return false;
}

void shut_down(abi::ShutdownReason reason) {
    drain_console();
    abi::SchedShutdown shutdown{static_cast<u32>(reason)};
    call(abi::SchedOp::shutdown, &shutdown);
    for (;;) asm volatile("cli; hlt");
}

void give_up(std::string_view reason) {
    print("PX-VERDICT {} fail {}\n", guest_name, reason);
    shut_down(abi::ShutdownReason::crash);
}

void finish() {
    if (failures) print("PX-VERDICT {} fail {} of {} checks\n", guest_name, failures.load(), checks.load());
    else print("PX-VERDICT {} pass {} checks\n", guest_name, checks.load());
    shut_down(is_dom0() ? abi::ShutdownReason::reboot : abi::ShutdownReason::poweroff);
}

}  // namespace px::guest
