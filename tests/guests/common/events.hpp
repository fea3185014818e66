// Event channels of a tiny kernel: upcalls on a vector, ports, and the two-level bitmaps.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/guests/common/cpu.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

/// Asks for upcalls of this domain on `vector` (HvmParam::callback_irq, no EOI) and counts them. Each upcall clears
/// evtchn_upcall_pending of its vCPU, then `also` runs.
void enable_upcalls(u8 vector, void (*also)() = nullptr);

/// Upcalls so far, on all vCPUs.
u32 upcalls();

/// Lets the next event of this vCPU raise an upcall again.
inline void ack_upcall(unsigned vcpu = 0) { shared_info().vcpu_info[vcpu].evtchn_upcall_pending = 0; }

/// A new port, or a negative errno.
i64 bind_ipi(unsigned vcpu);
i64 bind_virq(abi::Virq virq, unsigned vcpu);
i64 alloc_unbound(u16 remote);
i64 bind_interdomain(u16 remote, u32 remote_port);
i64 close_port(u32 port);
i64 unmask_port(u32 port);
abi::EvtchnStatus port_status(u32 port);

/// This domain's number, from the hypervisor's CPUID leaves.
u16 own_domid();

/// Two-level ABI: the bit of a port.
inline bool port_pending(u32 port) { return std::atomic_ref{shared_info().evtchn_pending[port / 64]}.load() >> (port % 64) & 1; }
inline void clear_port(u32 port) { std::atomic_ref{shared_info().evtchn_pending[port / 64]}.fetch_and(~(u64{1} << (port % 64))); }
inline void mask_port(u32 port) { std::atomic_ref{shared_info().evtchn_mask[port / 64]}.fetch_or(u64{1} << (port % 64)); }

}  // namespace px::guest
