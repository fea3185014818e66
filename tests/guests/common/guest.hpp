// What each tiny kernel is made of: main(), checks, and one verdict line.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/sched.hpp"
#include "tests/guests/common/print.hpp"

namespace px::guest {

/// Name of this kernel, from the build.
extern const char guest_name[];

/// The kernel's own part. Returning ends it: `PX-VERDICT name pass` when no check failed, and power-off.
void guest_main();

/// Command line of this boot (empty when there is none).
std::string_view command_line();

/// Value of `key=` on the command line, or `otherwise`.
u64 option(std::string_view key, u64 otherwise);

/// True in dom0: hardware is ours, the console is the hypervisor's.
bool is_dom0();

/// Physical address of the start info that the loader gave us [xen/public arch-x86/hvm/start_info.h].
u64 start_info_address();

/// Records the check's outcome; a failure is printed as `PX-CHECK name file:line text left right`.
bool check(bool good, const char* file, unsigned line, std::string_view text);
template <class A, class B>
bool check_equal(const A& left, const B& right, const char* file, unsigned line, std::string_view text) {
    const bool good = left == right;
    if (!check(good, file, line, text)) print("    left {} right {}\n", left, right);
    return good;
}
#define PX_CHECK(condition) ::px::guest::check((condition), __FILE_NAME__, __LINE__, #condition)
#define PX_CHECK_EQ(left, right) ::px::guest::check_equal((left), (right), __FILE_NAME__, __LINE__, #left " == " #right)

/// Says which part begins, so that a hang has a place, then runs it: PX_PART(timers(3)).
#define PX_PART(call) (::px::guest::print("PX-PART {} {}\n", ::px::guest::guest_name, #call), (call))

/// `PX-VERDICT name fail reason`, then the domain ends (SHUTDOWN_crash).
[[noreturn]] void give_up(std::string_view reason);

/// Prints the verdict by the checks so far and ends the domain (power-off; in dom0 a reboot, which ends the emulator).
[[noreturn]] void finish();

/// Ends the domain by SCHEDOP_shutdown.
[[noreturn]] void shut_down(abi::ShutdownReason reason);

}  // namespace px::guest
