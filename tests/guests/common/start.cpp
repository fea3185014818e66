// From the entry code to guest_main(): the start of a PVH kernel.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/console.hpp"
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constinit const abi::HvmStartInfo* start_info = nullptr;

}  // namespace

std::string_view command_line() {
    const u64 address = start_info->cmdline_paddr;
    return address ? std::string_view{reinterpret_cast<const char*>(address)} : std::string_view{};
}

bool is_dom0() { return start_info->flags & abi::sif::initdomain; }
u64 start_info_address() { return reinterpret_cast<u64>(start_info); }

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
