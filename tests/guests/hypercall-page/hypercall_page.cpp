// Hypercalls through the page that the hypervisor fills, as older kernels and FreeBSD make them.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

alignas(page_size) constinit u8 page[page_size]{};

}  // namespace

void guest_main() {
    const u32 msr = cpuid(hypervisor_leaf() + 2).ebx;
    const i64 direct = call(abi::XenVersionOp::version);
    PX_CHECK(probe_wrmsr(msr, reinterpret_cast<u64>(page) | 1).faulted(fault_gp));  // there is one page, number 0
    use_hypercall_page(page);
    PX_CHECK_EQ(call(abi::XenVersionOp::version), direct);
    PX_CHECK_EQ(hypercall(abi::hypercall::arch_7), minus(Errno::enosys));
    PX_CHECK_EQ(call(abi::EvtchnOp::send, nullptr) < 0, true);
    bool filled = true;
    for (unsigned number = 0; number < abi::hypercall::count; ++number) filled &= page[number * 32] != 0;
    PX_CHECK(filled);
}

}  // namespace px::guest
