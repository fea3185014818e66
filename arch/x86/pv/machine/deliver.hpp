// What enters the kernel of the current PV guest: exceptions, events, system calls.
//
// Each writes to the kernel's stack, and crashes the domain where that can't be done.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// What a bounce or a return changes of the vCPU, as it is and as it is to be. The mode is changed with it.
CpuFrame frame_of_vcpu(Vcpu& vcpu);
void take_frame(Vcpu& vcpu, const CpuFrame& frame);

/// By the trap table. #PF has cr2 set before.
void deliver_exception(Vcpu& vcpu, u8 vector, std::optional<u32> error_code = {});
/// `error_code` as the processor gave it: whether it was a user is put right.
void deliver_page_fault(Vcpu& vcpu, u64 address, u32 error_code);
void deliver_syscall(Vcpu& vcpu, const Callback& callback);
/// The failsafe callback: the return to the guest's frame failed.
void deliver_failsafe(Vcpu& vcpu);
/// An NMI or an event, where one is pending and not masked.
void deliver_pending(Vcpu& vcpu);

}  // namespace px::pv
