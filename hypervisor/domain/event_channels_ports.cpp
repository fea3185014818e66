// Event channels: opening and closing ports, and the choice of the ABI.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/pirqs.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/domain/event_channels.hpp"
#include "hypervisor/domain/event_two_level.hpp"

namespace px {
namespace {

using Kind = EventChannel::Kind;

Kind kind_of(const EventChannel& channel) { return channel.kind.load(std::memory_order_relaxed); }
abi::SharedInfo& shared_info(const Domain& domain) { return *static_cast<abi::SharedInfo*>(domain.shared_info()); }

/// What a port is when it is opened, but for its kind.
void clear(EventChannel& channel) {
    channel.priority.store(abi::evtchn_fifo::priority_default, std::memory_order_relaxed);
    channel.vcpu.store(0, std::memory_order_relaxed);
    channel.remote_id = 0;
    channel.number = 0;
    channel.remote = nullptr;
    channel.consumer = nullptr;
    // `queue` stays: the event may be linked still.
}

void connect_end(EventChannel& channel, Domain& remote, EvtPort remote_port) {
    channel.remote = &remote;
    channel.remote_id = remote.id.raw;
    channel.number = remote_port.raw;
    channel.kind.store(Kind::interdomain, std::memory_order_relaxed);
}

}  // namespace

Result<> EventChannels::create() {
    const u32 ports = std::min<u32>(domain_.settings.max_event_port, abi::evtchn_fifo::nr_channels - 1) + 1;
    buckets_ = TRY(HeapArray<Bucket*>::create((ports + bucket_size - 1) / bucket_size));
    return {};
}

EventChannels::~EventChannels() {
    for (Bucket* bucket : buckets_) {
        if (bucket != nullptr) HeapDelete<Bucket>{}(bucket);
    }
    drop_fifo();
}

u32 EventChannels::port_limit() const {
    const u32 ports = uses_fifo() ? abi::evtchn_fifo::nr_channels : abi::evtchn_2l_nr_channels;
    return std::min<u32>(domain_.settings.max_event_port, ports - 1) + 1;
}

Result<> EventChannels::add_bucket() {
    const u32 valid = valid_ports();
    const u32 index = valid / bucket_size;
    if (buckets_[index] == nullptr) buckets_[index] = TRY(make<Bucket>()).release();
    valid_ports_.store(std::min((index + 1) * bucket_size, port_limit()), std::memory_order_release);
    return {};
}

Result<EvtPort> EventChannels::reserve_port(Table& table) {
    REQUIRE(!domain_.is_dying(), einval);
    const u32 limit = port_limit();
    bool all_taken = true;
    for (EvtPort port{table.first_candidate}; port.raw < limit; ++port) {
        if (port.raw >= valid_ports()) TRY(add_bucket());
        EventChannel& channel = at(port).unlocked();
        if (kind_of(channel) != Kind::free) {
            if (all_taken) table.first_candidate = port.raw + 1;
            continue;
        }
        all_taken = false;
        if (const FifoEvents* queues = fifo(); queues != nullptr && queues->is_busy(port)) continue;
        channel.kind.store(Kind::reserved, std::memory_order_relaxed);
        return port;
    }
    return Err{Errno::enospc};
}

/// fill(channel, port) makes the port what it is to be and returns its kind; it may fail with an errno.
template <class Fill>
Result<EvtPort> EventChannels::open(Fill fill) {
    auto table = table_.lock();
    const EvtPort port = TRY(reserve_port(*table));
    auto channel = at(port).lock();
    const Result<Kind> kind = fill(*channel, port);
    channel->kind.store(kind ? *kind : Kind::free, std::memory_order_relaxed);
    if (!kind) return Err{kind.error()};
    return port;
}

Result<EvtPort> EventChannels::alloc_unbound(DomId remote) {
    return open([&](EventChannel& channel, EvtPort) -> Result<Kind> {
        channel.remote_id = remote.raw;
        return Kind::unbound;
    });
}

Result<EvtPort> EventChannels::alloc_hypervisor(VcpuId vcpu, DomId remote, EventChannel::Consumer consumer) {
    REQUIRE(domain_.vcpu(vcpu) != nullptr, enoent);
    return open([&](EventChannel& channel, EvtPort) -> Result<Kind> {
        channel.remote_id = remote.raw;
        channel.vcpu.store(vcpu.raw, std::memory_order_relaxed);
        channel.consumer = consumer;
        return Kind::unbound;
    });
}

Result<EvtPort> EventChannels::bind_virq(u32 virq, VcpuId vcpu) {
    REQUIRE(virq < abi::nr_virqs && (!is_global(virq) || vcpu.raw == 0), einval);
    Vcpu* const binder = domain_.vcpu(vcpu);
    REQUIRE(binder != nullptr, enoent);
    return open([&](EventChannel& channel, EvtPort port) -> Result<Kind> {
        std::atomic_ref slot(binder->virq_ports[virq].raw);
        REQUIRE(slot.load(std::memory_order_relaxed) == 0, eexist);
        channel.number = virq;
        channel.vcpu.store(vcpu.raw, std::memory_order_relaxed);
        slot.store(port.raw, std::memory_order_release);
        return Kind::virq;
    });
}

Result<EvtPort> EventChannels::bind_ipi(VcpuId vcpu) {
    REQUIRE(domain_.vcpu(vcpu) != nullptr, enoent);
    return open([&](EventChannel& channel, EvtPort) -> Result<Kind> {
        channel.vcpu.store(vcpu.raw, std::memory_order_relaxed);
        return Kind::ipi;
    });
}

Result<EvtPort> EventChannels::bind_pirq(u32 pirq) {
    return open([&](EventChannel& channel, EvtPort) -> Result<Kind> {
        for (EvtPort port{1}; port.raw < valid_ports(); ++port) {
            const EventChannel& other = at(port).unlocked();
            REQUIRE(kind_of(other) != Kind::pirq || other.number != pirq, eexist);
        }
        channel.number = pirq;
        return Kind::pirq;
    });
}

/// Locks two ends in the order of (domain id, port); returns the guard of `here` and puts that of `there` into *second.
EventChannels::Guard EventChannels::lock_ends(Channel& here, EvtPort port, Channel& there, const Domain& remote, EvtPort remote_port,
                                              std::optional<Guard>* second) {
    if (domain_.id < remote.id || (domain_.id == remote.id && port < remote_port)) {
        Guard first = here.lock();
        second->emplace(there.lock_same_rank());
        return first;
    }
    second->emplace(there.lock());
    return here.lock_same_rank();
}

Result<EvtPort> EventChannels::bind_interdomain(Domain& remote, EvtPort remote_port) {
    EvtPort port;
    {
        auto table = table_.lock();
        port = TRY(reserve_port(*table));
    }
    if (const auto connected = connect(port, remote, remote_port); !connected) {
        free_port(port);
        return Err{connected.error()};
    }
    return port;
}

Result<> EventChannels::connect(EvtPort port, Domain& remote, EvtPort remote_port) {
    Channel* const far = remote.events.find(remote_port);
    REQUIRE(far != nullptr && far != &at(port), einval);
    std::optional<Guard> there;
    auto here = lock_ends(at(port), port, *far, remote, remote_port, &there);
    REQUIRE(kind_of(**there) == Kind::unbound && (*there)->remote_id == domain_.id.raw, einval);
    connect_end(*here, remote, remote_port);
    connect_end(**there, domain_, port);
    // The remote end may have sent before there was anybody to hear it.
    deliver(port, *here);
    return {};
}

Result<> EventChannels::close(EvtPort port) { return close_by(port, Closer::guest); }
Result<> EventChannels::close_hypervisor(EvtPort port) { return close_by(port, Closer::hypervisor); }

Result<> EventChannels::close_by(EvtPort port, Closer closer) {
    Channel* const near = find(port);
    REQUIRE(near != nullptr, einval);
    for (;;) {
        // Both ends change at once, but whom to lock is only known under our own lock: look, let go, lock both, look again.
        Ref<Domain> remote;
        EvtPort remote_port;
        {
            auto here = near->lock();
            REQUIRE(is_open(kind_of(*here)), einval);
            REQUIRE(closer == Closer::end_of_domain || (here->consumer == nullptr) == (closer == Closer::guest), einval);
            if (kind_of(*here) != Kind::interdomain) {
                if (kind_of(*here) == Kind::virq) {
                    Vcpu* const binder = domain_.vcpu(VcpuId{is_global(here->number) ? 0 : here->vcpu.load()});
                    std::atomic_ref(binder->virq_ports[here->number].raw).store(0, std::memory_order_relaxed);
                }
                if (kind_of(*here) == Kind::pirq) arch::pirq_closed(domain_, here->number);
                here->kind.store(Kind::reserved, std::memory_order_relaxed);
                break;
            }
            remote = Ref<Domain>(*here->remote);
            remote_port = EvtPort{here->number};
        }
        std::optional<Guard> there;
        auto here = lock_ends(*near, port, remote->events.at(remote_port), *remote, remote_port, &there);
        if (kind_of(*here) != Kind::interdomain || here->remote != remote.get() || here->number != remote_port.raw) continue;
        (*there)->remote = nullptr;
        (*there)->kind.store(Kind::unbound, std::memory_order_relaxed);
        here->kind.store(Kind::reserved, std::memory_order_relaxed);
        here.unlock();
        there.reset();
        break;
    }
    free_port(port);
    return {};
}

void EventChannels::free_port(EvtPort port) {
    auto table = table_.lock();
    auto channel = at(port).lock();
    if (FifoEvents* const queues = fifo()) queues->clear_pending(port, *channel);
    else two_level::clear_pending(shared_info(domain_), port);
    clear(*channel);
    channel->kind.store(Kind::free, std::memory_order_relaxed);
    table->first_candidate = std::min(table->first_candidate, port.raw);
}

Progress EventChannels::close_all(Closer closer) {
    for (EvtPort port{close_cursor_.load(std::memory_order_relaxed)}; port.raw < valid_ports(); ++port) {
        if (!close_by(port, closer)) continue;  // free, or the hypervisor's
        close_cursor_.store(port.raw + 1, std::memory_order_relaxed);
        if (preemption_pending()) return Progress::more;
    }
    close_cursor_.store(1, std::memory_order_relaxed);
    return Progress::done;
}

Progress EventChannels::relinquish() {
    if (close_all(Closer::end_of_domain) == Progress::more) return Progress::more;
    drop_fifo();
    return Progress::done;
}

/// Back to the two-level ABI. Every port of the guest is closed, and the caller's lock keeps it so.
void EventChannels::drop_fifo() { Box<FifoEvents>{fifo_.exchange(nullptr, std::memory_order_acq_rel)}.reset(); }

Progress EventChannels::reset() {
    if (close_all(Closer::guest) == Progress::more) return Progress::more;
    auto table = table_.lock();
    // Only what is open uses the event words. A port that another vCPU opened meanwhile keeps them: close that as well.
    for (EvtPort port{1}; port.raw < valid_ports(); ++port) {
        const EventChannel& channel = at(port).unlocked();
        if (kind_of(channel) != Kind::free && channel.consumer == nullptr) return Progress::more;
    }
    drop_fifo();
    return Progress::done;
}

Result<> EventChannels::init_control(VcpuId vcpu, Gfn gfn, u32 offset) {
    Vcpu* const owner = domain_.vcpu(vcpu);
    REQUIRE(owner != nullptr, enoent);
    auto table = table_.lock();
    if (FifoEvents* const queues = fifo()) return queues->add_control_block(*owner, gfn, offset);
    Box<FifoEvents> fresh = TRY(FifoEvents::create(domain_));
    TRY(fresh->add_control_block(*owner, gfn, offset));
    for (EvtPort port{1}; port.raw < valid_ports(); ++port) {
        EventChannel& channel = at(port).unlocked();
        const bool sent = kind_of(channel) != Kind::free && two_level::is_pending(shared_info(domain_), port);
        channel.pending_early.store(sent, std::memory_order_relaxed);
    }
    fifo_.store(fresh.release(), std::memory_order_release);
    return {};
}

Result<> EventChannels::expand_array(Gfn gfn) {
    auto table = table_.lock();
    FifoEvents* const queues = fifo();
    REQUIRE(queues != nullptr, eopnotsupp);
    const EvtPort first = TRY(queues->add_words(gfn));
    for (EvtPort port = first; port.raw < std::min(first.raw + FifoEvents::words_per_frame, valid_ports()); ++port) {
        if (port.raw == 0) continue;
        auto channel = at(port).lock();
        if (is_open(kind_of(*channel))) queues->deliver_early(notified(*channel), port, *channel);
    }
    return {};
}

}  // namespace px
