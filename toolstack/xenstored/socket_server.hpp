// The clients on sockets. The sockets belong to the holder, which hands each of them to us.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/daemon/event_loop.hpp"
#include "toolstack/xenstored/holder_link.hpp"
#include "toolstack/xenstored/ledger.hpp"

namespace px::xenstored {

/// While a client has more than this to fetch, its requests wait.
inline constexpr usize outbox_high_water = 64 * 1024;

class SocketServer {
public:
    /// `link` is the socket to the holder.
    SocketServer(daemon::EventLoop& loop, Ledger& ledger, int link) : loop_(loop), ledger_(ledger), link_(link) {}

    /// Takes the clients that the holder has, and those that it will have.
    call::Outcome<> serve();
    /// Sends what the outbox of `id` holds, as far as the client takes it. Nothing happens if `id` is no
    /// client of a socket.
    call::Outcome<> flush(store::ConnectionId id);
    /// Why a handler of the loop could not go on: no room for the journal, or the holder is gone.
    call::Outcome<> failure() { return std::exchange(failure_, {}); }

private:
    struct Client {
        call::Fd fd;
        u64 number;
        u32 waits_for = EPOLLIN;
    };

    call::Outcome<> take_messages();
    call::Outcome<> take(HolderMessage message, call::Fd fd);
    call::Outcome<> forget_missing();
    call::Outcome<> serve_client(store::ConnectionId id, u32 events);
    call::Outcome<> drop(store::ConnectionId id);
    call::Outcome<> tell_dropped(u64 number);
    template <class Action>
    void guard(Action&& action);

    daemon::EventLoop& loop_;
    Ledger& ledger_;
    int link_;
    bool complete_ = false;  // the holder told of all that it had
    std::unordered_map<store::ConnectionId, Client> clients_;
    call::Outcome<> failure_{};
};

}  // namespace px::xenstored
