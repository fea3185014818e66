// The smallest kernel: it reaches long mode, finds the hypervisor, and says what it was told on its command line.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

constinit u64 zeroed[512] = {};

void guest_main() {
    const u32 leaf = hypervisor_leaf();
    const i64 version = call(abi::XenVersionOp::version);
    print("hello from {}: {}, hypervisor {}.{} at CPUID leaf {x}, command line \"{}\"\n", guest_name, is_dom0() ? "dom0" : "domU",
          version >> 16, version & 0xffff, leaf, command_line());

    PX_CHECK(leaf != 0);
    PX_CHECK_EQ(cpuid(leaf + 1).eax, static_cast<u32>(version));
    bool clear = true;
    for (u64 word : zeroed) clear &= word == 0;
    PX_CHECK(clear);  // the loader cleared .bss
    PX_CHECK(probe_ud2().faulted(fault_ud));
}

}  // namespace px::guest
