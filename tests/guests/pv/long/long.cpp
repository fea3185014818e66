// System calls, faults and events of users for some seconds, so that NMIs come at every instruction of the ways in and out.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

extern "C" {
[[gnu::naked]] void user_syscall() { asm volatile("mov $0x1234, %eax; syscall"); }
[[gnu::naked]] void user_ud2() { asm volatile("ud2"); }
}

}  // namespace

void guest_main() {
    init_users();
    constexpr unsigned rounds = 300'000;
    PX_PART(command_line());
    for (unsigned i = 0; i < rounds; ++i) {
        const Frame call = run_user(user_syscall);
        if (call.vector != vector_syscall || call.rax != 0x1234) {
            PX_CHECK_EQ(call.vector, u64{vector_syscall});
            break;
        }
        if (run_user(user_ud2).vector != fault_ud || !probe_read32(0x10000).faulted(fault_pf)) {
            PX_CHECK(false);
            break;
        }
    }
    PX_CHECK(true);
}

}  // namespace px::guest
