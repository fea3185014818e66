// The whole state of a PV vCPU, as its domain's builder or another of its vCPUs gives it. [xen/public arch-x86/xen.h vcpu_guest_context]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// The vCPU, which doesn't run, has this state and may be brought up; whether it is up isn't changed. Progress::more: call again with the
/// same context. Errors: einval (addresses that aren't canonical, tables that aren't valid or not the domain's); then its root tables and
/// descriptor tables may have changed, and it still can't begin where it couldn't before.
Result<Progress> set_context(Vcpu& vcpu, const abi::x86::VcpuGuestContext& context);

/// What set_context() takes, of a vCPU that doesn't run.
void get_context(Vcpu& vcpu, abi::x86::VcpuGuestContext& context);

}  // namespace px::pv
