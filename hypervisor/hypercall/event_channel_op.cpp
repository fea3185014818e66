// HYPERVISOR_event_channel_op. [xen/public event_channel.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/pirqs.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

using abi::EvtchnOp;

/// `op` is the guest's structure as read once; what is changed in it is written back when the handler succeeds.
template <class Op>
using Handler = Result<Reply> (*)(Vcpu& caller, Op& op);

Result<Reply> alloc_unbound(Vcpu& caller, abi::EvtchnAllocUnbound& op) {
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.dom}));
    const DomId remote{op.remote_dom};
    op.port = TRY(domain->events.alloc_unbound(remote == domid_self ? caller.domain.id : remote)).raw;
    return Reply{};
}

Result<Reply> bind_interdomain(Vcpu& caller, abi::EvtchnBindInterdomain& op) {
    const DomainRef remote = TRY(find_domain(caller, DomId{op.remote_dom}));
    op.local_port = TRY(caller.domain.events.bind_interdomain(*remote, EvtPort{op.remote_port})).raw;
    return Reply{};
}

Result<Reply> bind_virq(Vcpu& caller, abi::EvtchnBindVirq& op) {
    op.port = TRY(caller.domain.events.bind_virq(op.virq, VcpuId{op.vcpu})).raw;
    return Reply{};
}

Result<Reply> bind_ipi(Vcpu& caller, abi::EvtchnBindIpi& op) {
    op.port = TRY(caller.domain.events.bind_ipi(VcpuId{op.vcpu})).raw;
    return Reply{};
}

Result<Reply> bind_pirq(Vcpu& caller, abi::EvtchnBindPirq& op) {
    REQUIRE(caller.domain.settings.hardware, eperm);
    const EvtPort port = TRY(caller.domain.events.bind_pirq(op.pirq));
    if (const auto bound = arch::pirq_bound(caller.domain, op.pirq, port); !bound) {
        (void)caller.domain.events.close(port).ok();
        return Err{bound.error()};
    }
    op.port = port.raw;
    return Reply{};
}

Result<Reply> close(Vcpu& caller, abi::EvtchnClose& op) {
    TRY(caller.domain.events.close(EvtPort{op.port}));
    return Reply{};
}

Result<Reply> send(Vcpu& caller, abi::EvtchnSend& op) {
    TRY(caller.domain.events.send(EvtPort{op.port}));
    return Reply{};
}

Result<Reply> status(Vcpu& caller, abi::EvtchnStatus& op) {
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.dom}));
    TRY(domain->events.status(EvtPort{op.port}, op));
    return Reply{};
}

Result<Reply> bind_vcpu(Vcpu& caller, abi::EvtchnBindVcpu& op) {
    TRY(caller.domain.events.bind_vcpu(EvtPort{op.port}, VcpuId{op.vcpu}));
    return Reply{};
}

Result<Reply> unmask(Vcpu& caller, abi::EvtchnUnmask& op) {
    TRY(caller.domain.events.unmask(EvtPort{op.port}));
    return Reply{};
}

Result<Reply> reset(Vcpu& caller, abi::EvtchnReset& op) {
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.dom}));
    return domain->events.reset() == Progress::more ? run_again : Reply{};
}

Result<Reply> init_control(Vcpu& caller, abi::EvtchnInitControl& op) {
    TRY(caller.domain.events.init_control(VcpuId{op.vcpu}, Gfn{op.control_gfn}, op.offset));
    op.link_bits = abi::evtchn_fifo::link_bits;
    return Reply{};
}

Result<Reply> expand_array(Vcpu& caller, abi::EvtchnExpandArray& op) {
    TRY(caller.domain.events.expand_array(Gfn{op.array_gfn}));
    return Reply{};
}

Result<Reply> set_priority(Vcpu& caller, abi::EvtchnSetPriority& op) {
    TRY(caller.domain.events.set_priority(EvtPort{op.port}, op.priority));
    return Reply{};
}

/// Reads the structure, calls the handler, writes the structure back where it has results. A port whose number can't be
/// told stays open: the guest gave a bad address and may reset.
template <class Op, Handler<Op> handler, bool has_results = false>
Result<Reply> with(Vcpu& caller, u64 argument) {
    const auto pointer = guest_ptr<Op>(argument);
    Op op = TRY(pointer.read());
    const Reply reply = TRY(handler(caller, op));
    if constexpr (has_results) TRY(pointer.write(op));
    return reply;
}

using Entry = Result<Reply> (*)(Vcpu& caller, u64 argument);
constexpr auto table = [] {
    std::array<Entry, 15> entries{};
    const auto set = [&](EvtchnOp op, Entry entry) { entries[static_cast<usize>(op)] = entry; };
    set(EvtchnOp::bind_interdomain, with<abi::EvtchnBindInterdomain, bind_interdomain, true>);
    set(EvtchnOp::bind_virq, with<abi::EvtchnBindVirq, bind_virq, true>);
    set(EvtchnOp::bind_pirq, with<abi::EvtchnBindPirq, bind_pirq, true>);
    set(EvtchnOp::close, with<abi::EvtchnClose, close>);
    set(EvtchnOp::send, with<abi::EvtchnSend, send>);
    set(EvtchnOp::status, with<abi::EvtchnStatus, status, true>);
    set(EvtchnOp::alloc_unbound, with<abi::EvtchnAllocUnbound, alloc_unbound, true>);
    set(EvtchnOp::bind_ipi, with<abi::EvtchnBindIpi, bind_ipi, true>);
    set(EvtchnOp::bind_vcpu, with<abi::EvtchnBindVcpu, bind_vcpu>);
    set(EvtchnOp::unmask, with<abi::EvtchnUnmask, unmask>);
    set(EvtchnOp::reset, with<abi::EvtchnReset, reset>);
    set(EvtchnOp::reset_cont, with<abi::EvtchnReset, reset>);
    set(EvtchnOp::init_control, with<abi::EvtchnInitControl, init_control, true>);
    set(EvtchnOp::expand_array, with<abi::EvtchnExpandArray, expand_array>);
    set(EvtchnOp::set_priority, with<abi::EvtchnSetPriority, set_priority>);
    return entries;
}();

}  // namespace

/// (command, argument)
Result<Reply> hypercall_event_channel_op(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(args[0] < table.size(), enosys);
    return table[args[0]](caller, args[1]);
}

}  // namespace px
