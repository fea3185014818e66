// From the entry code to guest_main(), and the verdict.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/console.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constinit const abi::HvmStartInfo* start_info = nullptr;
constinit std::atomic<unsigned> checks{0}, failures{0};

}  // namespace

std::string_view command_line() {
    const u64 address = start_info->cmdline_paddr;
    return address ? std::string_view{reinterpret_cast<const char*>(address)} : std::string_view{};
}

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

bool is_dom0() { return start_info->flags & abi::sif::initdomain; }
u64 start_info_address() { return reinterpret_cast<u64>(start_info); }

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

extern "C" [[noreturn]] void guest_start(const abi::HvmStartInfo* info) {
    start_info = info;
    load_interrupt_table();
    init_hypercalls();
    init_console();
    if (info->magic != abi::hvm_start_magic) give_up("no start info: wrong magic");
    guest_main();
    finish();
}

}  // namespace px::guest
