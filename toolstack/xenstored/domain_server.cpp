// The rings of the domains, and the news of domains that end.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/domain_server.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstdlib>

#include "toolstack/xenstored/socket_server.hpp"

namespace px::xenstored {

using call::failure;
using call::Fd;
using call::Mapping;
using call::Outcome;
using store::ConnectionId;

namespace {

constexpr unsigned rounds_per_turn = 8;
constexpr GrantRef reserved_grant{1};  // GNTTAB_RESERVED_XENSTORE [xen/public grant_table.h]

struct LocalRing {
    Mapping page;
    EvtPort port;
};

/// The ring of this very kernel, from the files that it has for us in /proc/xen.
Outcome<LocalRing> local_ring_of_xenfs() {
    Fd page{open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC)}, port{open("/proc/xen/xsd_port", O_RDONLY | O_CLOEXEC)};
    if (!page || !port) return failure("can't open /proc/xen/xsd_kva and xsd_port (is xenfs mounted on /proc/xen?)");
    char text[32] = {};
    if (read(port.get(), text, sizeof text - 1) <= 0) return failure("can't read /proc/xen/xsd_port");
    void* address = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, page.get(), 0);
    if (address == MAP_FAILED) return failure("can't map /proc/xen/xsd_kva");
    return LocalRing{Mapping(address, page_size), EvtPort{static_cast<u32>(std::strtoul(text, nullptr, 10))}};
}

/// The same from the device that newer kernels have.
Outcome<LocalRing> local_ring_of_device() {
    constexpr unsigned long port_request = _IOC(_IOC_NONE, 'B', 0, 0);
    Fd device = TRY(call::open_device("xenbus_backend", "xenbus_backend"));
    int port = ioctl(device.get(), port_request);
    if (port < 0) return failure("can't learn the port of dom0's xenstore ring");
    void* address = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, device.get(), 0);
    if (address == MAP_FAILED) return failure("can't map dom0's xenstore ring");
    return LocalRing{Mapping(address, page_size), EvtPort{static_cast<u32>(port)}};
}

}  // namespace

Outcome<std::unique_ptr<DomainServer>> DomainServer::create(daemon::EventLoop& loop, Log log) {
    auto events = TRY(call::EventChannels::open());
    auto privcmd = TRY(call::Privcmd::open());
    std::unique_ptr<DomainServer> server(new DomainServer(loop, std::move(log), std::move(events), std::move(privcmd)));
    auto grants = call::GrantDevice::open();
    if (grants.ok()) server->grants_ = std::move(*grants);
    else server->log_(grants.error().text + "; mapping rings by frame number instead");
    server->domain_changed_ = TRY(server->events_.bind_virq(abi::Virq::dom_exc));
    TRY(loop.add(server->events_.fd(), EPOLLIN, [raw = server.get()](u32) { raw->on_event(); }));
    return server;
}

Outcome<> DomainServer::attach_dom0() {
    auto ring = local_ring_of_xenfs();
    if (!ring.ok()) ring = local_ring_of_device();
    if (!ring.ok()) return Err{ring.error()};
    EvtPort port = TRY(events_.bind_interdomain(DomId{0}, ring->port));
    add(DomId{0}, Peer{std::move(ring->page), port, store_->connect_domain(DomId{0})});
    return events_.notify(port);  // the kernel waits for a first event: then it knows that there is a store
}

Outcome<Mapping> DomainServer::map_ring(DomId domain, Gfn ring) {
    if (grants_) {
        auto granted = grants_->map(domain, std::span(&reserved_grant, 1));
        if (granted.ok()) return granted;
    }
    return privcmd_.map_foreign(domain, std::span(&ring, 1));
}

Outcome<> DomainServer::attach(DomId domain, Gfn ring, EvtPort remote_port, ConnectionId connection) {
    auto known = peers_.find(domain);
    if (known == peers_.end()) {
        Mapping page = TRY(map_ring(domain, ring));
        EvtPort port = TRY(events_.bind_interdomain(domain, remote_port));
        Peer peer{std::move(page), port, connection};
        peer.ring().connect();
        add(domain, std::move(peer));
        return {};
    }
    EvtPort port = TRY(events_.bind_interdomain(domain, remote_port));
    by_port_.erase(known->second.port);
    auto unbound = events_.unbind(known->second.port);  // fails when the domain closed its end: all the same to us
    static_cast<void>(unbound.ok());
    known->second.port = port;
    by_port_[port] = domain;
    return {};
}

void DomainServer::add(DomId domain, Peer peer) {
    by_port_[peer.port] = domain;
    by_connection_[peer.connection] = domain;
    peers_.emplace(domain, std::move(peer));
}

void DomainServer::detach(DomId domain) {
    auto found = peers_.find(domain);
    if (found == peers_.end()) return;
    by_port_.erase(found->second.port);
    by_connection_.erase(found->second.connection);
    auto unbound = events_.unbind(found->second.port);
    static_cast<void>(unbound.ok());
    peers_.erase(found);
}

void DomainServer::on_event() {
    auto port = events_.pending();
    if (!port.ok()) return log_(port.error().text);
    if (!*port) return;
    if (auto unmasked = events_.unmask(**port); !unmasked.ok()) log_(unmasked.error().text);
    if (*port == domain_changed_) {
        store_->update_domains([this](DomId domain) { return state_of(domain); });
    } else if (auto found = by_port_.find(**port); found != by_port_.end()) {
        serve_ring(found->second, peers_.at(found->second));
    }
}

/// A domain that is being torn down counts as gone: nothing answers for it any more.
store::DomainState DomainServer::state_of(DomId domain) {
    auto info = call::domain_info(privcmd_, domain);
    if (!info.ok()) {
        log_(info.error().text);
        return store::DomainState::running;  // not known to be otherwise
    }
    if (!*info || (*info)->flags & abi::dominf::dying) return store::DomainState::gone;
    return (*info)->flags & abi::dominf::shutdown ? store::DomainState::shut_down : store::DomainState::running;
}

/// One turn: some rings full of requests. The replies leave with the loop's next flush.
void DomainServer::serve_ring(DomId domain, Peer& peer) {
    if (peer.dead) return;
    if (peer.ring().reconnect_if_asked()) reconnect(domain, peer);
    for (unsigned round = 0; round < rounds_per_turn; ++round) {
        flush(peer.connection);
        if (peer.dead || store_->outbox(peer.connection).size_bytes() >= outbox_high_water) return;  // the ring is full: an event comes
        auto received = peer.ring().receive(peer.inbox);
        if (!received.ok()) return give_up(domain, peer, abi::XenstoreError::ringidx);
        if (!*received) return;
        if (!events_.notify(peer.port).ok()) log_("can't notify domain " + std::to_string(domain.raw));
        if (!handle_messages(peer)) return give_up(domain, peer, abi::XenstoreError::proto);
    }
    backlog_.push_back(domain);
}

void DomainServer::run_backlog() {
    for (DomId domain : std::exchange(backlog_, {})) {
        if (auto found = peers_.find(domain); found != peers_.end()) serve_ring(domain, found->second);
    }
}

/// Handles each whole message. False when the domain broke the protocol.
bool DomainServer::handle_messages(Peer& peer) {
    for (store::Message message;;) {
        auto whole = peer.inbox.next(message);
        if (!whole.ok()) return false;
        if (!*whole) return true;
        store_->receive(peer.connection, message);
    }
}

/// The domain begins anew: what it had going is forgotten.
void DomainServer::reconnect(DomId domain, Peer& peer) {
    by_connection_.erase(peer.connection);
    store_->disconnect(peer.connection);
    peer.connection = store_->connect_domain(domain);
    peer.inbox = {};
    by_connection_[peer.connection] = domain;
    if (!events_.notify(peer.port).ok()) log_("can't notify domain " + std::to_string(domain.raw));
}

void DomainServer::give_up(DomId domain, Peer& peer, abi::XenstoreError error) {
    peer.dead = true;
    peer.ring().set_error(error);
    log_("domain " + std::to_string(domain.raw) + " broke the xenstore protocol (error " +
         std::to_string(static_cast<u32>(error)) + "): it is not served any more");
}

bool DomainServer::flush(ConnectionId id) {
    auto found = by_connection_.find(id);
    if (found == by_connection_.end()) return false;
    Peer& peer = peers_.at(found->second);
    if (peer.dead) return true;
    if (store_->is_lost(id)) {
        give_up(found->second, peer, abi::XenstoreError::comm);
        return true;
    }
    for (bool more = true; more;) {
        auto sent = peer.ring().send(store_->outbox(id));
        if (!sent.ok()) {
            give_up(found->second, peer, abi::XenstoreError::ringidx);
            return true;
        }
        more = *sent;
        if (more && !events_.notify(peer.port).ok()) log_("can't notify domain " + std::to_string(found->second.raw));
    }
    return true;
}

}  // namespace px::xenstored
