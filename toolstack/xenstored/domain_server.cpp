// The rings of the domains, and the news of domains that end.
//
// What moved through a ring is known from its indices. Requests: their record is written, then our index
// moves; a successor moves it again to where the records say. Replies: our index moves, then the record is
// written; a successor writes it for what the index is ahead.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/domain_server.hpp"

#include "toolstack/xenstored/socket_server.hpp"

namespace px::xenstored {

using call::Outcome;
using store::ConnectionId;
using store::Encoder;

namespace {

constexpr unsigned rounds_per_turn = 8;

std::string name_of(DomId domain) { return "domain " + std::to_string(domain.raw); }

Encoder about(DomId domain) {
    Encoder record;
    record.number(domain.raw);
    return record;
}

}  // namespace

Outcome<> DomainServer::serve(Ledger& ledger, bool local) {
    ledger_ = &ledger;
    State& state = ledger.state();
    for (const auto& [domain, peer] : state.peers()) take_up(domain, peer);
    if (local && !state.peers().contains(DomId{0})) TRY(attach_local());
    TRY(update_domains());  // first: a ring of a domain that ended meanwhile may be anything
    std::vector<DomId> known;
    for (const auto& [domain, peer] : state.peers()) known.push_back(domain);
    for (DomId domain : known) TRY(resume(domain));
    return loop_.add(hypervisor_.event_fd(), EPOLLIN, [this](u32) {
        if (auto done = on_event(); !done.ok()) failure_ = std::move(done);
    });
}

Outcome<> DomainServer::attach_local() {
    auto local = TRY(hypervisor_.local_ring());
    EvtPort port = TRY(hypervisor_.bind(DomId{0}, local.port));
    Link link{std::move(local.page), port};
    RingIndices indices = link.ring().indices();
    by_port_[port] = DomId{0};
    links_.insert_or_assign(DomId{0}, std::move(link));
    Encoder record;
    record.number(indices.request);
    record.number(indices.reply);
    return ledger_->perform(RecordKind::attach_local, record);
}

/// Connects to a ring that a predecessor had. One that can't be had belongs to a domain that is ending.
void DomainServer::take_up(DomId domain, const State::Peer& peer) {
    if (links_.contains(domain)) return;  // attached while the journal was replayed
    auto connect = [&]() -> Outcome<> {
        Link link;
        EvtPort theirs = peer.port;
        if (domain == DomId{0}) {
            auto local = TRY(hypervisor_.local_ring());
            link.page = std::move(local.page);
            theirs = local.port;
        } else {
            link.page = TRY(hypervisor_.map_ring(domain, peer.ring));
        }
        link.port = TRY(hypervisor_.bind(domain, theirs));
        by_port_[link.port] = domain;
        links_.insert_or_assign(domain, std::move(link));
        return {};
    };
    if (auto done = connect(); !done.ok()) log_("can't take up the ring of " + name_of(domain) + ": " + done.error().text);
}

/// Makes ring and state agree, and does what is left to do.
Outcome<> DomainServer::resume(DomId domain) {
    auto link = links_.find(domain);
    if (link == links_.end()) return {};
    const State::Peer& peer = ledger_->state().peers().at(domain);
    Ring ring = link->second.ring();
    if (peer.error != abi::XenstoreError::none) {
        show_error(domain);
        return {};
    }
    if (!ring.wants_reconnection()) {
        const RingIndices now = ring.indices();
        const u32 ahead = now.reply - peer.given;
        const bool ours = (now.request == peer.taken || now.request == peer.taken_before) && ahead <= abi::xenstore_ring_size &&
                          ahead <= ledger_->state().store().outbox(peer.connection).size_bytes();
        if (!ours) {
            TRY(realign(domain));  // the domain changed them meanwhile
        } else {
            ring.set_taken(peer.taken);
            TRY(note_sent(peer.connection, ahead));
        }
    }
    notify(domain);  // also the first event that a kernel waits for: then it knows that there is a store
    backlog_.push_back(domain);
    return {};
}

Outcome<RingIndices> DomainServer::attach(DomId domain, Gfn ring, EvtPort port) {
    auto known = links_.find(domain);
    if (known == links_.end()) {
        Link link{TRY(hypervisor_.map_ring(domain, ring)), TRY(hypervisor_.bind(domain, port))};
        link.ring().connect();
        RingIndices indices = link.ring().indices();
        by_port_[link.port] = domain;
        links_.emplace(domain, std::move(link));
        return indices;
    }
    EvtPort ours = TRY(hypervisor_.bind(domain, port));
    by_port_.erase(known->second.port);
    hypervisor_.unbind(known->second.port);
    known->second.port = ours;
    by_port_[ours] = domain;
    return RingIndices{};
}

void DomainServer::detach(DomId domain) {
    auto found = links_.find(domain);
    if (found == links_.end()) return;
    by_port_.erase(found->second.port);
    hypervisor_.unbind(found->second.port);
    links_.erase(found);
}

Outcome<> DomainServer::on_event() {
    auto port = hypervisor_.next_event();
    if (!port.ok()) {
        log_(port.error().text);
        return {};
    }
    if (!*port) return {};
    if (*port == hypervisor_.domain_changed()) return update_domains();
    auto found = by_port_.find(**port);
    return found == by_port_.end() ? Outcome<>{} : serve_ring(found->second);
}

Outcome<> DomainServer::update_domains() {
    Encoder record;
    for (const auto& [domain, peer] : ledger_->state().peers()) {
        if (domain == DomId{0}) continue;
        auto state = hypervisor_.state_of(domain);
        if (!state.ok()) log_(state.error().text);  // not known to be otherwise than before
        if (!state.ok() || *state == store::DomainState::running) continue;
        record.number(domain.raw);
        record.number(static_cast<u8>(*state));
    }
    return record.bytes().empty() ? Outcome<>{} : ledger_->perform(RecordKind::domains, record);
}

/// The domain's place in the state, if it has a ring and didn't break the protocol.
const State::Peer* DomainServer::served(DomId domain) const {
    auto found = ledger_->state().peers().find(domain);
    bool is_served = found != ledger_->state().peers().end() && found->second.error == abi::XenstoreError::none && links_.contains(domain);
    return is_served ? &found->second : nullptr;
}

/// One turn: some rings full of requests. The replies leave with the loop's next flush.
Outcome<> DomainServer::serve_ring(DomId domain) {
    if (served(domain) && links_.at(domain).ring().wants_reconnection()) TRY(reconnect(domain));
    for (unsigned round = 0; round < rounds_per_turn; ++round) {
        if (auto peer = served(domain)) TRY(flush(peer->connection));
        auto peer = served(domain);
        if (!peer || ledger_->state().store().outbox(peer->connection).size_bytes() >= outbox_high_water)
            return {};  // the ring is full: an event comes
        if (!TRY(receive(domain))) return {};
    }
    backlog_.push_back(domain);
    return {};
}

Outcome<> DomainServer::run_backlog() {
    for (DomId domain : std::exchange(backlog_, {})) TRY(serve_ring(domain));
    return {};
}

/// Handles what is in the ring. False when there is nothing, or the domain is served no longer.
Outcome<bool> DomainServer::receive(DomId domain) {
    TRY(realign(domain));
    Ring ring = links_.at(domain).ring();
    Encoder record;
    record.number(ledger_->state().peers().at(domain).connection.raw);
    auto count = ring.peek(record);
    if (!count.ok()) {
        TRY(give_up(domain, abi::XenstoreError::ringidx));
        return false;
    }
    if (*count == 0) return false;
    TRY(ledger_->perform(RecordKind::receive, record));
    const State::Peer& peer = ledger_->state().peers().at(domain);  // a domain can't end itself by a request
    ring.set_taken(peer.taken);
    step();
    notify(domain);
    if (peer.error != abi::XenstoreError::none) show_error(domain);
    return true;
}

/// Follows the indices in the page, which firmware clears before a kernel takes over. Only between transfers.
Outcome<> DomainServer::realign(DomId domain) {
    const State::Peer& peer = ledger_->state().peers().at(domain);
    RingIndices now = links_.at(domain).ring().indices();
    if (now == RingIndices{peer.taken, peer.given}) return {};
    Encoder record = about(domain);
    record.number(now.request);
    record.number(now.reply);
    return ledger_->perform(RecordKind::realign, record);
}

/// The domain begins anew: what it had going is forgotten.
Outcome<> DomainServer::reconnect(DomId domain) {
    TRY(ledger_->perform(RecordKind::reconnect, about(domain)));
    links_.at(domain).ring().reconnect();
    step();
    notify(domain);
    return {};
}

Outcome<> DomainServer::give_up(DomId domain, abi::XenstoreError error) {
    Encoder record = about(domain);
    record.number(static_cast<u32>(error));
    TRY(ledger_->perform(RecordKind::give_up, record));
    show_error(domain);
    return {};
}

void DomainServer::show_error(DomId domain) { links_.at(domain).ring().set_error(ledger_->state().peers().at(domain).error); }

void DomainServer::notify(DomId domain) {
    if (!hypervisor_.notify(links_.at(domain).port).ok()) log_("can't notify " + name_of(domain));
}

Outcome<> DomainServer::flush(ConnectionId id) {
    auto domain = ledger_->state().domain_of(id);
    if (!domain || !served(*domain)) return {};
    if (ledger_->state().store().is_lost(id)) return give_up(*domain, abi::XenstoreError::comm);
    if (ledger_->state().store().outbox(id).empty()) return {};
    TRY(realign(*domain));
    for (;;) {
        auto count = links_.at(*domain).ring().send(ledger_->state().store().outbox(id).front());
        if (!count.ok()) return give_up(*domain, abi::XenstoreError::ringidx);
        if (*count == 0) return {};
        step();
        TRY(note_sent(id, *count));
        notify(*domain);
    }
}

Outcome<> DomainServer::note_sent(ConnectionId id, u32 count) {
    if (count == 0) return {};
    Encoder record;
    record.number(id.raw);
    record.number(count);
    return ledger_->perform(RecordKind::sent, record);
}

}  // namespace px::xenstored
