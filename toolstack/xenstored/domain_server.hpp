// The rings of the domains, and the news of domains that end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/daemon/event_loop.hpp"
#include "toolstack/xenstored/hypervisor.hpp"
#include "toolstack/xenstored/ledger.hpp"
#include "toolstack/xenstored/ring.hpp"

namespace px::xenstored {

class DomainServer : public Rings {
public:
    DomainServer(daemon::EventLoop& loop, Hypervisor& hypervisor, Ledger::Log log)
        : loop_(loop), hypervisor_(hypervisor), log_(std::move(log)) {}

    /// Takes up all rings of the state; what is in them is backlog. `local`: this kernel's own as well.
    /// `ledger` is open and outlives this.
    call::Outcome<> serve(Ledger& ledger, bool local);
    call::Outcome<RingIndices> attach(DomId domain, Gfn ring, EvtPort port) override;
    void detach(DomId domain) override;
    /// Sends what the outbox of `id` holds, as far as the ring takes it. Nothing happens if `id` is no
    /// domain's connection.
    call::Outcome<> flush(store::ConnectionId id);
    /// Is there work that no event will call for? Then run_backlog() before the loop sleeps.
    bool has_backlog() const { return !backlog_.empty(); }
    call::Outcome<> run_backlog();
    /// Why a handler of the loop could not go on.
    call::Outcome<> failure() { return std::exchange(failure_, {}); }

private:
    struct Link {
        call::Mapping page;
        EvtPort port{};  // ours

        Ring ring() const { return Ring(*page.as<abi::XenstoreDomainInterface>()); }
    };

    const State::Peer* served(DomId domain) const;
    call::Outcome<> attach_local();
    void take_up(DomId domain, const State::Peer& peer);
    call::Outcome<> resume(DomId domain);
    call::Outcome<> on_event();
    call::Outcome<> update_domains();
    call::Outcome<> serve_ring(DomId domain);
    call::Outcome<bool> receive(DomId domain);
    call::Outcome<> reconnect(DomId domain);
    call::Outcome<> give_up(DomId domain, abi::XenstoreError error);
    call::Outcome<> realign(DomId domain);
    call::Outcome<> note_sent(store::ConnectionId id, u32 count);
    void notify(DomId domain);
    void show_error(DomId domain);

    daemon::EventLoop& loop_;
    Hypervisor& hypervisor_;
    Ledger::Log log_;
    Ledger* ledger_ = nullptr;
    std::map<DomId, Link> links_;
    std::unordered_map<EvtPort, DomId> by_port_;
    std::vector<DomId> backlog_;  // domains that had more to say than one turn allows
    call::Outcome<> failure_{};
};

}  // namespace px::xenstored
