// A kernel that never yields: each vCPU spins, by default with interrupts off. Only preemption takes the CPU from it.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/smp.hpp"

namespace px::guest {

namespace {

[[noreturn]] void spin() {
    for (;;) asm volatile("cli; pause");
}

}  // namespace

void guest_main() {
    for (unsigned vcpu = 1; vcpu < option("vcpus", 1); ++vcpu) start_by_vcpu_op(vcpu, [] { spin(); });
    print("PX-SPIN begins\n");
    spin();
}

}  // namespace px::guest
