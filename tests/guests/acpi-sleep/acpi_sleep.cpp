// XENPF_enter_acpi_sleep as dom0: states that don't exist or aren't supported are refused, then S5 ends the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/platform.hpp"
#include "tests/guests/common/console.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

i64 sleep(u32 state, u32 flags = 0) {
    static constinit abi::PlatformOp op{};
    op = {};
    op.cmd = static_cast<u32>(abi::PlatformOpCmd::enter_acpi_sleep);
    op.interface_version = abi::platform_interface_version;
    op.u.enter_acpi_sleep.sleep_state = state;
    op.u.enter_acpi_sleep.flags = flags;
    return hypercall(abi::hypercall::platform_op, reinterpret_cast<u64>(&op));
}

}  // namespace

void guest_main() {
    if (!is_dom0()) {
        PX_CHECK_EQ(sleep(5), minus(Errno::eperm));
        return;
    }
    for (const u32 state : {0u, 6u, 0xffff'ffffu}) PX_CHECK_EQ(sleep(state), minus(Errno::einval));
    for (const u32 state : {1u, 2u, 3u, 4u}) PX_CHECK_EQ(sleep(state), minus(Errno::eopnotsupp));
    PX_CHECK_EQ(sleep(5, 0x8000'0000), minus(Errno::einval));
    print("PX-SLEEP S5 follows\n");
    drain_console();
    sleep(5);
    give_up("the machine is still on");
}

}  // namespace px::guest
