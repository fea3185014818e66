// Everything that xenstored must not forget, and what each input does to it.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/state.hpp"

namespace px::xenstored {

using store::ConnectionId;
using store::Decoder;
using store::Encoder;

void State::change_holder(u64 holder) {
    for (const auto& [id, client] : clients_) store_.disconnect(id);
    clients_.clear();
    holder_ = holder;
    last_number_ = 0;
}

ConnectionId State::connect(u64 number, bool writable) {
    ConnectionId id = store_.connect_socket(writable);
    clients_.emplace(id, Client{number});
    last_number_ = number;
    return id;
}

void State::disconnect(ConnectionId id) {
    if (clients_.erase(id)) store_.disconnect(id);
}

void State::receive(ConnectionId id, std::string_view bytes) {
    if (auto client = clients_.find(id); client != clients_.end()) {
        client->second.inbox.append(bytes);
        if (!handle_messages(id, client->second.inbox)) disconnect(id);
    } else if (auto domain = domain_of(id)) {
        Peer& peer = peers_.at(*domain);
        peer.taken_before = peer.taken;
        peer.taken += static_cast<u32>(bytes.size());
        peer.inbox.append(bytes);
        if (!handle_messages(id, peer.inbox)) give_up(*domain, abi::XenstoreError::proto);
    }
}

/// Handles each whole message. False when the other side broke the protocol.
bool State::handle_messages(ConnectionId id, store::Inbox& inbox) {
    for (store::Message message;;) {
        auto whole = inbox.next(message);
        if (!whole.ok()) return false;
        if (!*whole) return true;
        store_.receive(id, message);
    }
}

void State::sent(ConnectionId id, usize count) {
    if (!store_.is_connected(id)) return;
    if (auto domain = domain_of(id)) peers_.at(*domain).given += static_cast<u32>(count);
    store::Outbox& outbox = store_.outbox(id);
    while (count != 0 && !outbox.empty()) {
        usize some = std::min(count, outbox.front().size());
        outbox.consume(some);
        count -= some;
    }
}

void State::attach_local(RingIndices indices) {
    add_peer(DomId{0}, Peer{store_.connect_domain(DomId{0}), {}, {}, indices.request, indices.reply});
}

void State::add_peer(DomId domain, Peer peer) {
    by_connection_[peer.connection] = domain;
    peers_.insert_or_assign(domain, std::move(peer));
}

void State::reconnect(DomId domain) {
    auto found = peers_.find(domain);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    by_connection_.erase(peer.connection);
    store_.disconnect(peer.connection);
    peer.connection = store_.connect_domain(domain);
    by_connection_[peer.connection] = domain;
    peer.taken = peer.taken_before = peer.given = 0;
    peer.inbox = {};
}

void State::realign(DomId domain, RingIndices indices) {
    auto found = peers_.find(domain);
    if (found == peers_.end()) return;
    found->second.taken = found->second.taken_before = indices.request;
    found->second.given = indices.reply;
}

void State::give_up(DomId domain, abi::XenstoreError error) {
    auto found = peers_.find(domain);
    if (found == peers_.end()) return;
    found->second.error = error;
    log("domain " + std::to_string(domain.raw) + " broke the xenstore protocol (error " + std::to_string(static_cast<u32>(error)) +
        "): it is not served any more");
}

void State::update_domains(const std::map<DomId, store::DomainState>& states) {
    store_.update_domains([&](DomId domain) {
        auto found = states.find(domain);
        return found == states.end() ? store::DomainState::running : found->second;
    });
}

std::optional<DomId> State::domain_of(ConnectionId id) const {
    auto found = by_connection_.find(id);
    if (found == by_connection_.end()) return {};
    return found->second;
}

Result<> State::attach(DomId domain, Gfn ring, EvtPort port, ConnectionId connection) {
    auto indices = TRY(outside_.attach(domain, ring, port));
    if (!peers_.contains(domain)) add_peer(domain, Peer{connection, {}, {}, indices.request, indices.reply});
    Peer& peer = peers_.at(domain);
    peer.ring = ring;
    peer.port = port;
    return {};
}

void State::detach(DomId domain) {
    outside_.detach(domain);
    if (auto found = peers_.find(domain); found != peers_.end()) {
        by_connection_.erase(found->second.connection);
        peers_.erase(found);
    }
}

std::string State::save() const {
    Encoder out;
    store_.save(out);
    out.number(holder_);
    out.number(last_number_);
    out.number(static_cast<u32>(clients_.size()));
    for (const auto& [id, client] : clients_) {
        out.number(id.raw);
        out.number(client.number);
        out.text(client.inbox.rest());
    }
    out.number(static_cast<u32>(peers_.size()));
    for (const auto& [domain, peer] : peers_) {
        out.number(domain.raw);
        out.number(peer.connection.raw);
        out.number(peer.ring.raw);
        out.number(peer.port.raw);
        out.number(peer.taken);
        out.number(peer.given);
        out.number(peer.taken_before);
        out.number(static_cast<u32>(peer.error));
        out.text(peer.inbox.rest());
    }
    return out.bytes();
}

Result<> State::load(std::string_view bytes) {
    Decoder in(bytes);
    TRY(store_.load(in));
    load_members(in);
    REQUIRE(in.finished(), einval);
    return {};
}

void State::load_members(Decoder& in) {
    holder_ = in.number<u64>();
    last_number_ = in.number<u64>();
    for (u32 left = in.count(); left != 0 && in.ok(); --left) {
        ConnectionId id{in.number<u32>()};
        Client client{in.number<u64>()};
        client.inbox.append(in.text());
        if (!store_.is_connected(id) || !clients_.emplace(id, std::move(client)).second) in.fail();
    }
    for (u32 left = in.count(); left != 0 && in.ok(); --left) {
        DomId domain{in.number<u16>()};
        Peer peer{ConnectionId{in.number<u32>()}, Gfn{in.number<u64>()}, EvtPort{in.number<u32>()}, in.number<u32>(), in.number<u32>()};
        peer.taken_before = in.number<u32>();
        peer.error = static_cast<abi::XenstoreError>(in.number<u32>());
        peer.inbox.append(in.text());
        bool known = store_.is_connected(peer.connection) && !clients_.contains(peer.connection) && !domain_of(peer.connection);
        if (!in.ok() || !known || peers_.contains(domain)) return in.fail();
        add_peer(domain, std::move(peer));
    }
}

}  // namespace px::xenstored
