// Event channels: sending, and what a port is told. Opening and closing: event_channels_ports.cpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/event_channels.hpp"

#include "hypervisor/domain/domain.hpp"
#include "hypervisor/domain/event_two_level.hpp"

namespace px {
namespace {

using Kind = EventChannel::Kind;

abi::SharedInfo& shared_info(const Domain& domain) { return *static_cast<abi::SharedInfo*>(domain.shared_info()); }

}  // namespace

EventChannels::Channel* EventChannels::find(EvtPort port) const { return port.raw != 0 && port.raw < valid_ports() ? &at(port) : nullptr; }

Result<EventChannels::Guard> EventChannels::lock_guest_port(EvtPort port) {
    Channel* const channel = find(port);
    REQUIRE(channel != nullptr, einval);
    Guard guard = channel->lock();
    REQUIRE(is_open(guard->kind.load(std::memory_order_relaxed)) && guard->consumer == nullptr, einval);
    return guard;
}

u32 EventChannels::open_ports() const {
    u32 count = 0;
    for (EvtPort port{1}; port.raw < valid_ports(); ++port) {
        if (is_open(at(port).unlocked().kind.load(std::memory_order_relaxed))) ++count;
    }
    return count;
}

Vcpu* EventChannels::notified(const EventChannel& channel) const {
    return domain_.vcpu(VcpuId{channel.vcpu.load(std::memory_order_relaxed)});
}

Result<> EventChannels::send(EvtPort port) { return send_on(port, true); }
Result<> EventChannels::send_from_hypervisor(EvtPort port) { return send_on(port, false); }

Result<> EventChannels::send_on(EvtPort port, bool by_guest) {
    Channel* const channel = find(port);
    REQUIRE(channel != nullptr, einval);
    auto here = channel->lock();
    REQUIRE((here->consumer == nullptr) == by_guest, einval);
    switch (here->kind.load(std::memory_order_relaxed)) {
    case Kind::interdomain: {
        EventChannels& there = here->remote->events;
        const EvtPort remote_port{here->number};
        there.deliver(remote_port, there.at(remote_port).unlocked());
        return {};
    }
    case Kind::ipi: deliver(port, *here); return {};
    case Kind::unbound: return {};
    default: return Err{Errno::einval};
    }
}

void EventChannels::deliver(EvtPort port, EventChannel& channel) {
    Vcpu* const vcpu = notified(channel);
    if (channel.consumer != nullptr) {
        if (vcpu != nullptr) channel.consumer(*vcpu, port);
        return;
    }
    FifoEvents* const queues = fifo();
    const bool fresh =
        queues != nullptr ? queues->set_pending(vcpu, port, channel) : two_level::set_pending(shared_info(domain_), vcpu, port);
    if (!fresh || pollers.load(std::memory_order_seq_cst) == 0) return;
    // A poller waits for a port whoever it is bound to.
    for (u32 i = 0; i < domain_.settings.max_vcpus; ++i) {
        if (Vcpu* const poller = domain_.vcpu(VcpuId{i})) poller->event_sent(port);
    }
}

bool EventChannels::is_global(u32 virq) {
    switch (static_cast<abi::Virq>(virq)) {
    case abi::Virq::timer:
    case abi::Virq::debug:
    case abi::Virq::xenoprof:
    case abi::Virq::xenpmu: return false;
    default: return true;
    }
}

void EventChannels::notify_vcpu_virq(Vcpu& vcpu, abi::Virq virq) { deliver_virq(vcpu, static_cast<u32>(virq)); }

void EventChannels::notify_global_virq(abi::Virq virq) {
    if (Vcpu* const vcpu = domain_.vcpu(VcpuId{0})) deliver_virq(*vcpu, static_cast<u32>(virq));
}

void EventChannels::deliver_virq(Vcpu& binder, u32 virq) {
    const EvtPort port{std::atomic_ref(binder.virq_ports[virq].raw).load(std::memory_order_acquire)};
    Channel* const channel = find(port);
    if (channel == nullptr) return;
    auto guard = channel->lock();
    // It may have been closed, and the port used anew, since the look.
    if (guard->kind.load(std::memory_order_relaxed) == Kind::virq && guard->number == virq) deliver(port, *guard);
}

void EventChannels::notify_pirq(EvtPort port, u32 pirq) {
    Channel* const channel = find(port);
    if (channel == nullptr) return;
    auto guard = channel->lock();
    if (guard->kind.load(std::memory_order_relaxed) == Kind::pirq && guard->number == pirq) deliver(port, *guard);
}

Result<> EventChannels::bind_vcpu(EvtPort port, VcpuId vcpu) {
    REQUIRE(domain_.vcpu(vcpu) != nullptr, enoent);
    auto channel = TRY(lock_guest_port(port));
    const Kind kind = channel->kind.load(std::memory_order_relaxed);
    REQUIRE(kind != Kind::ipi && !(kind == Kind::virq && !is_global(channel->number)), einval);
    channel->vcpu.store(vcpu.raw, std::memory_order_relaxed);
    return {};
}

Result<> EventChannels::unmask(EvtPort port) {
    Channel* const channel = find(port);
    REQUIRE(channel != nullptr, einval);
    auto guard = channel->lock();
    if (!is_open(guard->kind.load(std::memory_order_relaxed)) || guard->consumer != nullptr) return {};  // nothing to tell
    Vcpu* const vcpu = notified(*guard);
    if (FifoEvents* const queues = fifo()) queues->unmask(vcpu, port, *guard);
    else two_level::unmask(shared_info(domain_), vcpu, port);
    return {};
}

Result<> EventChannels::set_priority(EvtPort port, u32 priority) {
    REQUIRE(find(port) != nullptr, einval);
    REQUIRE(uses_fifo(), enosys);
    REQUIRE(priority <= abi::evtchn_fifo::priority_min, einval);
    auto channel = TRY(lock_guest_port(port));
    // It takes effect when the event is next linked.
    channel->priority.store(static_cast<u8>(priority), std::memory_order_relaxed);
    return {};
}

Result<bool> EventChannels::is_pending(EvtPort port) {
    Channel* const channel = find(port);
    REQUIRE(channel != nullptr, einval);
    auto guard = channel->lock();
    if (!is_open(guard->kind.load(std::memory_order_relaxed)) || guard->consumer != nullptr) return false;
    if (const FifoEvents* const queues = fifo()) return queues->is_pending(port, *guard);
    return two_level::is_pending(shared_info(domain_), port);
}

Result<> EventChannels::status(EvtPort port, abi::EvtchnStatus& out) {
    Channel* const channel = find(port);
    REQUIRE(channel != nullptr, einval);
    auto guard = channel->lock();
    REQUIRE(guard->consumer == nullptr, eacces);
    out.vcpu = guard->vcpu.load(std::memory_order_relaxed);
    const auto say = [&](abi::EvtchnStat status) { out.status = static_cast<u32>(status); };
    switch (guard->kind.load(std::memory_order_relaxed)) {
    case Kind::free:
    case Kind::reserved: say(abi::EvtchnStat::closed); break;
    case Kind::unbound:
        say(abi::EvtchnStat::unbound);
        out.u.unbound.dom = guard->remote_id;
        break;
    case Kind::interdomain:
        say(abi::EvtchnStat::interdomain);
        out.u.interdomain = {guard->remote_id, guard->number};
        break;
    case Kind::pirq:
        say(abi::EvtchnStat::pirq);
        out.u.pirq = guard->number;
        break;
    case Kind::virq:
        say(abi::EvtchnStat::virq);
        out.u.virq = guard->number;
        break;
    case Kind::ipi: say(abi::EvtchnStat::ipi); break;
    }
    return {};
}

}  // namespace px
