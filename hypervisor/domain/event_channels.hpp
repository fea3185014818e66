// Event channels: the ports of one domain, and how an event reaches a vCPU. [xen/public event_channel.h]
//
// Ports live in buckets that are made on demand and stay until the domain is gone, so a valid port can be reached without
// a lock. Two locks guard them:
//
//   table lock    (LockRank::event_channels) which ports are free, the vCPUs' VIRQ bindings, the choice of the ABI
//   channel lock  (LockRank::event_channel)  one per port: what the port is, and whom it is connected with
//
// The two ends of an interdomain channel change only under both channel locks, taken in the order of (domain id, port).
// So a sender holds one lock, that of its own end: it keeps the other end, and the other domain, as they are. No path
// holds the table locks of two domains.
//
// Delivery sets the port's bit or word in guest memory, which the guest may scribble on: it is only ever changed by single
// atomic operations, and never walked. An event is delivered only to a port that isn't free, under the lock that keeps
// it so; that is why the FIFO pages can be dropped as soon as every port is closed.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>

#include "hypervisor/abi/event_channel.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/domain/event_fifo.hpp"
#include "hypervisor/mm/heap.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px {

class Domain;
class Vcpu;

/// One port. 64 bytes with its lock: a cache line.
struct EventChannel {
    enum class Kind : u8 { free, reserved, unbound, interdomain, pirq, virq, ipi };
    /// Called instead of delivery where the hypervisor itself owns this end; the sender's channel lock is held.
    using Consumer = void (*)(Vcpu& vcpu, EvtPort port);

    std::atomic<Kind> kind{Kind::free};  ///< changes under the channel lock; the search for a free port only peeks
    std::atomic<u8> priority{abi::evtchn_fifo::priority_default};
    std::atomic<bool> pending_early{false};  ///< FIFO: sent before the guest gave the frame with its event word
    u16 remote_id = 0;                       ///< unbound: who may bind it; interdomain: who has
    u32 number = 0;                          ///< interdomain: remote port; else the VIRQ or physical IRQ
    std::atomic<u32> vcpu{0};                ///< who is told
    std::atomic<u32> queue{0};               ///< FIFO: the queue that it was last linked into (FifoEvents::QueueId)
    Domain* remote = nullptr;                ///< interdomain: alive for as long as it is
    Consumer consumer = nullptr;             ///< set: the hypervisor's own end; not the guest's to send on or to close
};

class EventChannels {
public:
    explicit EventChannels(Domain& domain) : domain_(domain) {}
    ~EventChannels();
    EventChannels(const EventChannels&) = delete;
    /// Before anything else, once settings are known. Errors: enomem.
    Result<> create();

    // Making and closing ports. All: enospc when no port is left, enomem, einval when the domain is dying.
    /// A port that `remote` may bind. `remote` isn't looked up: it may come to exist later.
    Result<EvtPort> alloc_unbound(DomId remote);
    /// The hypervisor's own end of a channel to `remote` (ioreq servers): events that `remote` sends call `consumer` with
    /// vCPU `vcpu` of this domain. Errors: enoent without such a vCPU. Closed by close_hypervisor().
    Result<EvtPort> alloc_hypervisor(VcpuId vcpu, DomId remote, EventChannel::Consumer consumer);
    /// Connects with `remote_port` of `remote`, which must be unbound for this domain (einval); pending at once.
    Result<EvtPort> bind_interdomain(Domain& remote, EvtPort remote_port);
    /// Errors: einval (no such VIRQ; global and not vCPU 0), enoent (no such vCPU), eexist (bound already).
    Result<EvtPort> bind_virq(u32 virq, VcpuId vcpu);
    /// Errors: enoent (no such vCPU).
    Result<EvtPort> bind_ipi(VcpuId vcpu);
    /// Keeps the binding only; the caller tells arch::pirq_bound(). Errors: eexist.
    Result<EvtPort> bind_pirq(u32 pirq);
    /// Errors: einval (no open port of the guest's).
    Result<> close(EvtPort port);
    Result<> close_hypervisor(EvtPort port);

    // Using ports. All: einval for a port that can't be.
    /// The guest sends; an unbound port swallows it.
    Result<> send(EvtPort port);
    /// As send(), on a port of alloc_hypervisor().
    Result<> send_from_hypervisor(EvtPort port);
    /// Errors: enoent (no such vCPU), einval (its vCPU is fixed).
    Result<> bind_vcpu(EvtPort port, VcpuId vcpu);
    Result<> unmask(EvtPort port);
    /// Errors: enosys (two-level ABI), einval.
    Result<> set_priority(EvtPort port, u32 priority);
    /// Fills what is OUT in [xen/public event_channel.h evtchn_status]. Errors: einval, eacces (the hypervisor's own).
    Result<> status(EvtPort port, abi::EvtchnStatus& out);
    /// Whether the event is pending, masked or not: SCHEDOP_poll. Errors: einval.
    Result<bool> is_pending(EvtPort port);

    // The ABI: two-level until the first init_control().
    /// Places the control block of `vcpu`. Errors: enoent (vCPU), einval (frame, offset, twice), enomem.
    Result<> init_control(VcpuId vcpu, Gfn gfn, u32 offset);
    /// One more frame of event words. Errors: eopnotsupp (two-level), enospc, einval (frame).
    Result<> expand_array(Gfn gfn);
    bool uses_fifo() const { return fifo_.load(std::memory_order_acquire) != nullptr; }
    /// Closes all ports of the guest and returns to the two-level ABI. Preemptible: call again while `more`.
    Progress reset();

    // Virtual interrupts; any context, also interrupt handlers. Nothing happens where none is bound.
    void notify_vcpu_virq(Vcpu& vcpu, abi::Virq virq);
    void notify_global_virq(abi::Virq virq);
    static bool is_global(u32 virq);
    /// A physical interrupt. Any context; nothing happens where the port is another one's.
    void notify_pirq(EvtPort port, u32 pirq);

    /// Closes everything, for a dying domain. Preemptible: call again while `more`.
    Progress relinquish();

    /// vCPUs of the domain that halt in SCHEDOP_poll: senders look for them only where there are any. Kept by Vcpu::halt()
    /// and resume(); a poller counts before it looks at its ports, a sender looks here after it has set one.
    std::atomic<u32> pollers{0};

    /// Ports below this number can be asked about; grows.
    u32 valid_ports() const { return valid_ports_.load(std::memory_order_acquire); }
    /// Largest port number + 1 under the current ABI and the domain's settings.
    u32 port_limit() const;
    /// Ports that are in use by anybody at this moment.
    u32 open_ports() const;

private:
    using Channel = Locked<EventChannel, LockRank::event_channel>;
    using Guard = Channel::Guard;
    static constexpr u32 bucket_size = 64;
    struct Bucket {
        Channel channels[bucket_size];
    };
    struct Table {
        u32 first_candidate = 1;  ///< no port below is free (0 never is)
    };

    static bool is_open(EventChannel::Kind kind) { return kind != EventChannel::Kind::free && kind != EventChannel::Kind::reserved; }
    /// nullptr where the port isn't valid.
    Channel* find(EvtPort port) const;
    Channel& at(EvtPort port) const { return buckets_[port.raw / bucket_size]->channels[port.raw % bucket_size]; }
    /// The guest's own open port, locked. Errors: einval.
    Result<Guard> lock_guest_port(EvtPort port);
    Guard lock_ends(Channel& here, EvtPort port, Channel& there, const Domain& remote, EvtPort remote_port, std::optional<Guard>* second);

    Result<> add_bucket();
    /// The lowest free port becomes `reserved`.
    Result<EvtPort> reserve_port(Table& table);
    template <class Fill>
    Result<EvtPort> open(Fill fill);
    Result<> connect(EvtPort port, Domain& remote, EvtPort remote_port);
    enum class Closer : u8 { guest, hypervisor, end_of_domain };
    Result<> close_by(EvtPort port, Closer closer);
    Progress close_all(Closer closer);
    void drop_fifo();
    /// A port that has become `reserved` can be opened again.
    void free_port(EvtPort port);

    Result<> send_on(EvtPort port, bool by_guest);
    /// The caller holds a lock that keeps `port` open.
    void deliver(EvtPort port, EventChannel& channel);
    void deliver_virq(Vcpu& binder, u32 virq);
    Vcpu* notified(const EventChannel& channel) const;
    FifoEvents* fifo() const { return fifo_.load(std::memory_order_acquire); }

    Domain& domain_;
    HeapArray<Bucket*> buckets_;
    std::atomic<u32> valid_ports_{0};
    std::atomic<FifoEvents*> fifo_{nullptr};
    std::atomic<u32> close_cursor_{1};  ///< where an interrupted reset() or relinquish() goes on
    Locked<Table, LockRank::event_channels> table_;
};

}  // namespace px
