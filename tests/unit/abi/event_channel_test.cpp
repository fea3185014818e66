// ABI comparison: event channel.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/abi/compare.hpp"

#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "hypervisor/abi/event_channel.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/abi/vcpu.hpp"

// event_channel.hpp
SAME(bind_pirq_will_share, BIND_PIRQ__WILL_SHARE);
SAME(evtchn_2l_nr_channels, EVTCHN_2L_NR_CHANNELS);
SAME(evtchn_fifo::priority_max, EVTCHN_FIFO_PRIORITY_MAX);
SAME(evtchn_fifo::priority_default, EVTCHN_FIFO_PRIORITY_DEFAULT);
SAME(evtchn_fifo::priority_min, EVTCHN_FIFO_PRIORITY_MIN);
SAME(evtchn_fifo::max_queues, EVTCHN_FIFO_MAX_QUEUES);
SAME(evtchn_fifo::pending_bit, EVTCHN_FIFO_PENDING);
SAME(evtchn_fifo::masked_bit, EVTCHN_FIFO_MASKED);
SAME(evtchn_fifo::linked_bit, EVTCHN_FIFO_LINKED);
SAME(evtchn_fifo::busy_bit, EVTCHN_FIFO_BUSY);
SAME(evtchn_fifo::link_bits, EVTCHN_FIFO_LINK_BITS);
SAME(evtchn_fifo::link_mask, EVTCHN_FIFO_LINK_MASK);
SAME(evtchn_fifo::nr_channels, EVTCHN_FIFO_NR_CHANNELS);
SAME_ENUM(EvtchnOp, EVTCHNOP_, bind_interdomain, bind_virq, bind_pirq, close, send, status, alloc_unbound, bind_ipi, bind_vcpu, unmask,
          reset, init_control, expand_array, set_priority);
SAME_ENUM(EvtchnStat, EVTCHNSTAT_, closed, unbound, interdomain, pirq, virq, ipi);
SAME_STRUCT(EvtchnAllocUnbound, evtchn_alloc_unbound, dom, remote_dom, port);
SAME_STRUCT(EvtchnBindInterdomain, evtchn_bind_interdomain, remote_dom, remote_port, local_port);
SAME_STRUCT(EvtchnBindVirq, evtchn_bind_virq, virq, vcpu, port);
SAME_STRUCT(EvtchnBindPirq, evtchn_bind_pirq, pirq, flags, port);
SAME_STRUCT(EvtchnBindIpi, evtchn_bind_ipi, vcpu, port);
SAME_STRUCT(EvtchnClose, evtchn_close, port);
SAME_STRUCT(EvtchnSend, evtchn_send, port);
SAME_STRUCT(EvtchnStatus, evtchn_status, dom, port, status, vcpu, u, u.unbound, u.unbound.dom, u.interdomain, u.interdomain.dom,
            u.interdomain.port, u.pirq, u.virq);
SAME_STRUCT(EvtchnBindVcpu, evtchn_bind_vcpu, port, vcpu);
SAME_STRUCT(EvtchnUnmask, evtchn_unmask, port);
SAME_STRUCT(EvtchnReset, evtchn_reset, dom);
SAME_STRUCT(EvtchnInitControl, evtchn_init_control, control_gfn, offset, vcpu, link_bits);
SAME_STRUCT(EvtchnExpandArray, evtchn_expand_array, array_gfn);
SAME_STRUCT(EvtchnSetPriority, evtchn_set_priority, port, priority);
SAME_STRUCT(EvtchnCompatOp, evtchn_op, cmd, u, u.alloc_unbound, u.bind_interdomain, u.bind_virq, u.bind_pirq, u.bind_ipi, u.close, u.send,
            u.status, u.bind_vcpu, u.unmask);
SAME_STRUCT(EvtchnFifoControlBlock, evtchn_fifo_control_block, ready, head);

// sched.hpp
SAME(shutdown_reason_max, SHUTDOWN_MAX);
SAME_ENUM(SchedOp, SCHEDOP_, yield, block, shutdown, poll, remote_shutdown, shutdown_code, watchdog, pin_override);
SAME_ENUM(ShutdownReason, SHUTDOWN_, poweroff, reboot, suspend, crash, watchdog, soft_reset);
SAME_STRUCT(SchedShutdown, sched_shutdown, reason);
SAME_STRUCT(SchedPoll, sched_poll, ports, nr_ports, timeout);
SAME_STRUCT(SchedRemoteShutdown, sched_remote_shutdown, domain_id, reason);
SAME_STRUCT(SchedWatchdog, sched_watchdog, id, timeout);
SAME_STRUCT(SchedPinOverride, sched_pin_override, pcpu);

// vcpu.hpp
SAME(runstate_update, XEN_RUNSTATE_UPDATE);
SAME(singleshot_timer_future, VCPU_SSHOTTMR_future);
SAME_ENUM(VcpuOp, VCPUOP_, initialise, up, down, is_up, get_runstate_info, register_runstate_memory_area, set_periodic_timer,
          stop_periodic_timer, set_singleshot_timer, stop_singleshot_timer, register_vcpu_info, send_nmi, get_physid,
          register_vcpu_time_memory_area);
SAME_ENUM(Runstate, RUNSTATE_, running, runnable, blocked, offline);
SAME_STRUCT(VcpuRunstateInfo, vcpu_runstate_info, state, state_entry_time, time);
SAME_STRUCT(VcpuRegisterRunstateMemoryArea, vcpu_register_runstate_memory_area, addr, addr.h, addr.p);
SAME_STRUCT(VcpuSetPeriodicTimer, vcpu_set_periodic_timer, period_ns);
SAME_STRUCT(VcpuSetSingleshotTimer, vcpu_set_singleshot_timer, timeout_abs_ns, flags);
SAME_STRUCT(VcpuRegisterVcpuInfo, vcpu_register_vcpu_info, mfn, offset, rsvd);
SAME_STRUCT(VcpuGetPhysid, vcpu_get_physid, phys_id);
SAME_STRUCT(VcpuRegisterTimeMemoryArea, vcpu_register_time_memory_area, addr, addr.h, addr.p);
