// Everything that xenstored must not forget, and what each input does to it.
//
// An input is one call here and one record of the journal, written before the call: whoever makes the same
// calls in the same order has the same state, byte for byte of what each client is owed. Nothing here reads
// or writes a descriptor or a ring.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/store/store.hpp"

namespace px::xenstored {

/// Where a ring stood when we connected to it.
struct RingIndices {
    u32 request = 0, reply = 0;
    bool operator==(const RingIndices&) const = default;
};

/// What the state needs from outside while it handles a request. A replay answers from the journal.
class Outside {
public:
    virtual ~Outside() = default;
    /// As store::Host. For a domain that is known already the indices don't matter.
    virtual Result<RingIndices> attach(DomId domain, Gfn ring, EvtPort port) = 0;
    virtual void detach(DomId domain) = 0;
    virtual void log(std::string_view line) = 0;
};

class State : private store::Host {
public:
    /// A client on a socket; the holder knows it by `number`.
    struct Client {
        u64 number;
        store::Inbox inbox{};
    };
    /// A domain with its ring.
    struct Peer {
        store::ConnectionId connection{};
        Gfn ring{};
        EvtPort port{};                                       ///< the domain's end of the event channel
        u32 taken = 0;                                        ///< requests are taken from the ring up to this index
        u32 given = 0;                                        ///< replies are put into it up to this one
        u32 taken_before = taken;                             ///< `taken` before the last bytes: the ring's index, if the process was
                                                              ///< killed before it moved that
        abi::XenstoreError error = abi::XenstoreError::none;  ///< why it is not served any more
        store::Inbox inbox{};
    };

    explicit State(Outside& outside, store::Quotas quotas = {}) : outside_(outside), store_(*this, quotas) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    // The inputs.
    /// Another holder has the sockets: the clients of the last one are gone.
    void change_holder(u64 holder);
    store::ConnectionId connect(u64 number, bool writable);
    void disconnect(store::ConnectionId id);
    /// Bytes that `id` sent. Whoever breaks the protocol is disconnected (a client) or served no longer (a
    /// domain).
    void receive(store::ConnectionId id, std::string_view bytes);
    /// `count` bytes of what is owed to `id` were sent; at most the outbox's size.
    void sent(store::ConnectionId id, usize count);
    /// dom0's own kernel has a ring.
    void attach_local(RingIndices indices);
    /// The domain begins anew, with empty queues.
    void reconnect(DomId domain);
    /// The domain moved our indices in its ring.
    void realign(DomId domain, RingIndices indices);
    void give_up(DomId domain, abi::XenstoreError error);
    void update_domains(const std::map<DomId, store::DomainState>& states);

    store::Store& store() { return store_; }
    const store::Store& store() const { return store_; }
    const std::map<store::ConnectionId, Client>& clients() const { return clients_; }
    const std::map<DomId, Peer>& peers() const { return peers_; }
    /// The domain whose ring is `id`.
    std::optional<DomId> domain_of(store::ConnectionId id) const;
    u64 holder() const { return holder_; }
    /// The number of the last client that the holder told us of; smaller ones that aren't among clients() are
    /// done with.
    u64 last_number() const { return last_number_; }

    std::string save() const;
    /// Into a state that was just made. Error einval: the bytes aren't what save() gives; use this state no
    /// more.
    Result<> load(std::string_view bytes);

private:
    Result<> attach(DomId domain, Gfn ring, EvtPort port, store::ConnectionId connection) override;
    void detach(DomId domain) override;
    void log(std::string_view line) override { outside_.log(line); }
    bool handle_messages(store::ConnectionId id, store::Inbox& inbox);
    void load_members(store::Decoder& in);
    void add_peer(DomId domain, Peer peer);

    Outside& outside_;
    store::Store store_;
    std::map<store::ConnectionId, Client> clients_;
    std::map<DomId, Peer> peers_;
    std::unordered_map<store::ConnectionId, DomId> by_connection_;  // of peers_
    u64 holder_ = 0, last_number_ = 0;
};

}  // namespace px::xenstored
