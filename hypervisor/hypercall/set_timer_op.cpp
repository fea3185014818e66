// HYPERVISOR_set_timer_op: the singleshot timer in one argument. [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/time.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {

/// args: (absolute system time in ns; 0 stops the timer)
Result<Reply> hypercall_set_timer_op(Vcpu& caller, HypercallArgs& args) {
    const Nanoseconds deadline{static_cast<i64>(args[0])};
    if (deadline.raw == 0) {
        caller.singleshot_timer.cancel();
        return Reply{};
    }
    // Old Linux kernels let the tick count wrap and mean "soon" or "never": neither at once nor in years is right for both.
    constexpr Nanoseconds too_far{i64{1} << 50};
    const Nanoseconds now = arch::now();
    const bool absurd = deadline.raw < 0 || (deadline > now && deadline - now >= too_far);
    caller.singleshot_timer.arm(absurd ? now + milliseconds(100) : deadline);
    return Reply{};
}

}  // namespace px
