// The store: one state machine from requests to replies, changes and watch events. No input or output of its own.
//
// The program around it (xenstored, a test, a fuzzer) makes connections, hands in messages, and sends what the outboxes
// hold. The same requests in the same order always give the same state: nothing here reads a clock or a random number,
// so a journal of requests or of changes (change.hpp) can rebuild it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "toolstack/store/codec.hpp"
#include "toolstack/store/quota.hpp"
#include "toolstack/store/transaction.hpp"
#include "toolstack/store/watches.hpp"
#include "toolstack/store/wire.hpp"

namespace px::store {

enum class DomainState : u8 { running, shut_down, gone };

/// What the store needs done outside of itself.
class Host {
public:
    virtual ~Host() = default;
    /// Connects `domain`'s ring (frame `ring`, event channel `port`) to `connection`; called again for the same
    /// connection when a domain gets a new event channel.
    virtual Result<> attach(DomId domain, Gfn ring, EvtPort port, ConnectionId connection) = 0;
    /// The connection of `domain` is no more: unmap its ring, close its event channel.
    virtual void detach(DomId domain) = 0;
    /// A line for the administrator.
    virtual void log(std::string_view line) = 0;
};

class Store {
public:
    explicit Store(Host& host, Quotas quotas = {});

    /// A client on a socket of dom0.
    ConnectionId connect_socket(bool writable);
    /// Registers `domain`'s ring (INTRODUCE does, and xenstored for dom0). The domain isn't introduced yet.
    ConnectionId connect_domain(DomId domain);
    /// Forgets the connection with its watches and transactions. `id` is never used again.
    void disconnect(ConnectionId id);

    /// Handles one request: its reply, then the watch events it caused, are in outboxes afterwards.
    void receive(ConnectionId id, const Message& message);

    Outbox& outbox(ConnectionId id) { return connections_.at(id).outbox; }
    /// Must the connection be given up, since its client doesn't take what it is sent?
    bool is_lost(ConnectionId id) const { return connections_.at(id).lost; }
    /// The connections whose outbox got something since the last call; some may be disconnected by now.
    std::vector<ConnectionId> take_ready() { return std::exchange(ready_, {}); }
    bool is_connected(ConnectionId id) const { return connections_.contains(id); }

    /// After the hypervisor said that some domain changed its state: `state_of` is asked for each introduced domain.
    void update_domains(const std::function<DomainState(DomId)>& state_of);

    /// Everything as bytes: a store that load()s them answers as this one would, open transactions included.
    void save(Encoder& out) const;
    /// Into a store that was just made. Error einval: the bytes aren't what a store saves; use this store no more.
    Result<> load(Decoder& in);

    const Tree& tree() const { return tree_; }
    Quotas& quotas() { return quotas_; }
    /// How many nodes `domain` owns, by the store's accounts.
    int entries_of(DomId domain) const;
    /// Do the accounts agree with the tree? An inconsistency in words, or nothing.
    std::optional<std::string> check() const;

private:
    struct Connection {
        Identity who;
        bool writable;
        std::string base;  // what relative paths are relative to, without the trailing slash
        std::map<u32, Transaction> transactions{};
        u32 last_transaction = 0;
        Outbox outbox{};
        bool lost = false;
    };
    struct Domain {
        std::optional<ConnectionId> connection{};  // introduced when set
        bool shut_down = false;                    // and @releaseDomain said so
        int entries = 0;
        u32 watches = 0;
        u32 transactions = 0;
        std::array<u32, quota_count> hits{};
    };
    struct Request {
        ConnectionId id;
        Connection& from;
        const MessageHeader& header;
        std::string_view payload;
        Transaction* transaction = nullptr;
        std::vector<Event> events{};      // to be told after the reply
        std::string first_watch_event{};  // of WATCH
    };
    using Reply = Result<std::string>;
    using Handler = Reply (Store::*)(Request&);
    struct HandlerEntry {
        Handler handler = nullptr;
        u8 needs = 0;
    };
    static const std::array<HandlerEntry, message_type_limit> handlers;

    // tree_requests.cpp
    Reply read(Request&);
    Reply directory(Request&);
    Reply directory_part(Request&);
    Reply write(Request&);
    Reply make_directory(Request&);
    Reply remove(Request&);
    Reply get_permissions(Request&);
    Reply set_permissions(Request&);
    // watch_requests.cpp
    Reply watch(Request&);
    Reply unwatch(Request&);
    Reply reset_watches(Request&);
    Reply start_transaction(Request&);
    Reply end_transaction(Request&);
    // domain_requests.cpp
    Reply introduce(Request&);
    Reply release(Request&);
    Reply get_domain_path(Request&);
    Reply is_domain_introduced(Request&);
    Reply resume(Request&);
    Reply set_target(Request&);
    // control.cpp
    Reply control(Request&);
    Reply control_quota(std::span<const std::string_view> arguments);

    Reply dispatch(Request& request);
    Result<std::string> resolve(const Request& request, std::string_view text);
    Result<std::string> only_path(const Request& request);
    Result<const Node*> look_up(Request& request, const std::string& path, Access wanted, Aspect aspect);
    Result<> may_create(Request& request, const std::string& path, Result<const Node*> found);
    const Tree& tree_of(const Request& request) const;
    void perform(Request& request, Change change);
    void settle(const std::map<DomId, int>& entries);
    Result<> within(DomId domain, Quota quota, u64 wanted);

    void publish(const Event& event);
    bool may_hear(const Identity& who, const Event& event) const;
    void send_event(ConnectionId id, std::string bytes);
    void drop_watches_and_transactions(ConnectionId id, Connection& connection);
    void forget_domain(DomId domain);
    void forget_nodes_of(DomId domain);

    void load_watch_of(Watch watch, Decoder& in);

    Host& host_;
    Quotas quotas_;
    Tree tree_;
    std::map<std::string, Permissions, std::less<>> specials_;  // of @introduceDomain and @releaseDomain
    Watches watches_;
    std::unordered_map<ConnectionId, Connection> connections_;
    std::map<DomId, Domain> domains_;
    std::vector<ConnectionId> ready_;
    u32 last_connection_ = 0;
};

/// Where the nodes of `domain` are, and what its relative paths are relative to.
inline std::string domain_path(DomId domain) { return "/local/domain/" + std::to_string(domain.raw); }

inline constexpr std::string_view introduce_domain = "@introduceDomain";
inline constexpr std::string_view release_domain = "@releaseDomain";

/// The reply of requests that have nothing to say, with its terminator.
inline std::string ok_reply() { return std::string("OK\0", 3); }

/// A terminated string.
inline std::string terminated(std::string text) {
    text.push_back('\0');
    return text;
}

}  // namespace px::store
