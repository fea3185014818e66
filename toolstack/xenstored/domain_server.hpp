// The rings of the domains, and the news of domains that end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <unordered_map>

#include "toolstack/call/domain_info.hpp"
#include "toolstack/call/event_channels.hpp"
#include "toolstack/call/grant_device.hpp"
#include "toolstack/daemon/event_loop.hpp"
#include "toolstack/store/store.hpp"
#include "toolstack/xenstored/ring.hpp"

namespace px::xenstored {

class DomainServer {
public:
    using Log = std::function<void(std::string_view)>;

    /// Opens the hypervisor's devices and listens for domains that change their state.
    static call::Outcome<std::unique_ptr<DomainServer>> create(daemon::EventLoop& loop, Log log);

    /// Must be called before the loop runs; `store` outlives this.
    void serve(store::Store& store) { store_ = &store; }
    /// Connects dom0's own kernel.
    call::Outcome<> attach_dom0();
    /// Host::attach and Host::detach of the store.
    call::Outcome<> attach(DomId domain, Gfn ring, EvtPort remote_port, store::ConnectionId connection);
    void detach(DomId domain);
    /// Sends what the outbox of `id` holds, as far as the ring takes it. False if `id` is no domain's connection.
    bool flush(store::ConnectionId id);
    /// Is there work that no event will call for? Then run_backlog() before the loop sleeps.
    bool has_backlog() const { return !backlog_.empty(); }
    void run_backlog();

private:
    struct Peer {
        call::Mapping page;
        EvtPort port;
        store::ConnectionId connection;
        store::Inbox inbox{};
        bool dead = false;  // broke the protocol: ignored until the domain ends

        Ring ring() const { return Ring(*page.as<abi::XenstoreDomainInterface>()); }
    };

    DomainServer(daemon::EventLoop& loop, Log log, call::EventChannels events, call::Privcmd privcmd)
        : loop_(loop), log_(std::move(log)), events_(std::move(events)), privcmd_(std::move(privcmd)) {}

    call::Outcome<call::Mapping> map_ring(DomId domain, Gfn ring);
    void on_event();
    void serve_ring(DomId domain, Peer& peer);
    bool handle_messages(Peer& peer);
    void reconnect(DomId domain, Peer& peer);
    void give_up(DomId domain, Peer& peer, abi::XenstoreError error);
    store::DomainState state_of(DomId domain);
    void add(DomId domain, Peer peer);

    daemon::EventLoop& loop_;
    Log log_;
    call::EventChannels events_;
    call::Privcmd privcmd_;
    std::optional<call::GrantDevice> grants_;
    std::optional<EvtPort> domain_changed_;
    store::Store* store_ = nullptr;
    std::map<DomId, Peer> peers_;
    std::vector<DomId> backlog_;  // domains that had more to say than one turn allows
    std::unordered_map<EvtPort, DomId> by_port_;
    std::unordered_map<store::ConnectionId, DomId> by_connection_;
};

}  // namespace px::xenstored
