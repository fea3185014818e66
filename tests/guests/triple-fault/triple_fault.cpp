// A kernel that kills its CPU: an exception with no table to handle it. The domain must end as crashed or reset, nothing else.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/console.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

void guest_main() {
    print("PX-TRIPLE-FAULT follows\n");
    drain_console();
    const struct [[gnu::packed]] {
        u16 limit;
        u64 base;
    } nothing{0, 0};
    asm volatile("lidt %0; ud2" ::"m"(nothing));
    print("PX-VERDICT {} fail the CPU went on\n", guest_name);
}

}  // namespace px::guest
