// Event channels [xen/public event_channel.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class EvtchnOp : u32 {
    bind_interdomain = 0,
    bind_virq = 1,
    bind_pirq = 2,
    close = 3,
    send = 4,
    status = 5,
    alloc_unbound = 6,
    bind_ipi = 7,
    bind_vcpu = 8,
    unmask = 9,
    reset = 10,
    init_control = 11,
    expand_array = 12,
    set_priority = 13,
    reset_cont = 14,  ///< a reset that the reference has interrupted
};

/// A port of `dom` that `remote_dom` may bind. OUT: port.
struct EvtchnAllocUnbound {
    u16 dom, remote_dom;
    u32 port;
};

/// OUT: local_port, pending at once (the remote end may have sent before).
struct EvtchnBindInterdomain {
    u16 remote_dom;
    u32 remote_port;
    u32 local_port;
};

/// OUT: port. A global Virq binds on vCPU 0 only.
struct EvtchnBindVirq {
    u32 virq;
    u32 vcpu;
    u32 port;
};

inline constexpr u32 bind_pirq_will_share = 1;
struct EvtchnBindPirq {
    u32 pirq;
    u32 flags;  ///< bind_pirq_will_share
    u32 port;   ///< OUT
};

struct EvtchnBindIpi {
    u32 vcpu;
    u32 port;  ///< OUT
};

struct EvtchnClose {
    u32 port;
};
struct EvtchnSend {
    u32 port;
};

enum class EvtchnStat : u32 { closed = 0, unbound = 1, interdomain = 2, pirq = 3, virq = 4, ipi = 5 };

struct EvtchnStatus {
    u16 dom;
    u32 port;
    u32 status;  ///< OUT: EvtchnStat
    u32 vcpu;    ///< OUT
    union {
        struct {
            u16 dom;
        } unbound;
        struct {
            u16 dom;
            u32 port;
        } interdomain;
        u32 pirq;
        u32 virq;
    } u;  ///< OUT
};

struct EvtchnBindVcpu {
    u32 port;
    u32 vcpu;
};

struct EvtchnUnmask {
    u32 port;
};
struct EvtchnReset {
    u16 dom;
};

/// Switches the domain to FIFO event channels, and gives one vCPU its control block.
struct EvtchnInitControl {
    u64 control_gfn;
    u32 offset;  ///< of the control block in its frame, a multiple of 8
    u32 vcpu;
    u8 link_bits;  ///< OUT
    u8 pad[7];
};

/// One more frame of event words.
struct EvtchnExpandArray {
    u64 array_gfn;
};

struct EvtchnSetPriority {
    u32 port;
    u32 priority;  ///< 0 (first) … 15
};

/// The argument of event_channel_op_compat.
struct EvtchnCompatOp {
    u32 cmd;
    union {
        EvtchnAllocUnbound alloc_unbound;
        EvtchnBindInterdomain bind_interdomain;
        EvtchnBindVirq bind_virq;
        EvtchnBindPirq bind_pirq;
        EvtchnBindIpi bind_ipi;
        EvtchnClose close;
        EvtchnSend send;
        EvtchnStatus status;
        EvtchnBindVcpu bind_vcpu;
        EvtchnUnmask unmask;
    } u;
};

/// Ports of the two-level ABI (SharedInfo).
inline constexpr u32 evtchn_2l_nr_channels = 64 * 64;

/// The FIFO ABI: an array of 32-bit event words, linked into one queue per priority and vCPU.
namespace evtchn_fifo {
inline constexpr u32 priority_max = 0, priority_default = 7, priority_min = 15;
inline constexpr u32 max_queues = priority_min + 1;
/// Bits of an event word; the link to the next port is below.
inline constexpr unsigned pending_bit = 31, masked_bit = 30, linked_bit = 29, busy_bit = 28;
inline constexpr unsigned link_bits = 17;
inline constexpr u32 link_mask = (1u << link_bits) - 1;
inline constexpr u32 nr_channels = 1u << link_bits;
}  // namespace evtchn_fifo

struct EvtchnFifoControlBlock {
    u32 ready;  ///< bit n: queue n has events
    u32 rsvd;
    u32 head[evtchn_fifo::max_queues];
};

}  // namespace px::abi
