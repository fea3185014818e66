// Xen's hypercalls as the tiny kernels make them: one typed function per family, raw results (negative errno).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/event_channel.hpp"
#include "hypervisor/abi/grant_table.hpp"
#include "hypervisor/abi/hvm_op.hpp"
#include "hypervisor/abi/hvm_params.hpp"
#include "hypervisor/abi/memory.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/abi/shared_info.hpp"
#include "hypervisor/abi/start_info.hpp"
#include "hypervisor/abi/vcpu.hpp"
#include "hypervisor/abi/version.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/result.hpp"
#include "tests/guests/common/hypercall.hpp"

namespace px::guest {

/// The value of rax for an error.
constexpr i64 minus(Errno error) { return -static_cast<i64>(error); }

inline i64 call(abi::EvtchnOp op, void* argument) {
    return hypercall_ptr(abi::hypercall::event_channel_op, static_cast<u64>(op), argument);
}
inline i64 call(abi::GnttabOp op, void* elements, u64 count = 1) {
    return hypercall(abi::hypercall::grant_table_op, static_cast<u64>(op), reinterpret_cast<u64>(elements), count);
}
inline i64 call(abi::MemoryOp op, void* argument) { return hypercall_ptr(abi::hypercall::memory_op, static_cast<u64>(op), argument); }
inline i64 call(abi::SchedOp op, void* argument = nullptr) {
    return hypercall_ptr(abi::hypercall::sched_op, static_cast<u64>(op), argument);
}
inline i64 call(abi::VcpuOp op, u64 vcpu, void* argument = nullptr) {
    return hypercall(abi::hypercall::vcpu_op, static_cast<u64>(op), vcpu, reinterpret_cast<u64>(argument));
}
inline i64 call(abi::HvmOp op, void* argument) { return hypercall_ptr(abi::hypercall::hvm_op, static_cast<u64>(op), argument); }
inline i64 call(abi::XenVersionOp op, void* argument = nullptr) {
    return hypercall_ptr(abi::hypercall::xen_version, static_cast<u64>(op), argument);
}

/// A parameter of this domain, 0 when it has none.
u64 hvm_param(abi::HvmParam index);

inline i64 notify(u32 port) {
    abi::EvtchnSend send{port};
    return call(abi::EvtchnOp::send, &send);
}
inline void yield() { call(abi::SchedOp::yield); }

template <class T>
abi::GuestHandle<T> handle(T* address) {
    return {reinterpret_cast<u64>(address)};
}

/// Frame number of something in this kernel (identity map).
inline u64 frame_of(const volatile void* address) { return reinterpret_cast<u64>(address) >> page_shift; }

/// The page that this domain shares with the hypervisor; mapped at the first call over a page of our own.
abi::SharedInfo& shared_info();

/// How far, in ns, the hypervisor's clock and a vCPU's may be apart where the TSC is not invariant (emulators).
inline constexpr u64 clock_slack = 1'000'000;

/// System time in ns by the clock of `vcpu`, which must be the caller and below 32 [xen/public xen.h].
u64 system_time(unsigned vcpu = 0);

}  // namespace px::guest
