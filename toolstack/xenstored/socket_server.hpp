// The sockets of the store and the clients on them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>

#include "toolstack/daemon/event_loop.hpp"
#include "toolstack/store/store.hpp"

namespace px::xenstored {

/// While a client has more than this to fetch, its requests wait.
inline constexpr usize outbox_high_water = 64 * 1024;

class SocketServer {
public:
    SocketServer(store::Store& store, daemon::EventLoop& loop) : store_(store), loop_(loop) {}
    ~SocketServer();

    /// Listens on `directory`/socket and, for clients that only read, `directory`/socket_ro. Makes the directory.
    call::Outcome<> listen(const std::string& directory);
    /// Sends what the outbox of `id` holds, as far as the client takes it. False if `id` is no client of a socket.
    bool flush(store::ConnectionId id);

private:
    struct Client {
        call::Fd fd;
        store::Inbox inbox{};
        u32 waits_for = EPOLLIN;
    };

    call::Outcome<> listen_on(const std::string& path, bool writable);
    void accept_from(int listener, bool writable);
    void serve(store::ConnectionId id, u32 events);
    bool receive(store::ConnectionId id, Client& client);
    void drop(store::ConnectionId id);

    store::Store& store_;
    daemon::EventLoop& loop_;
    std::vector<std::pair<call::Fd, std::string>> listeners_;
    std::unordered_map<store::ConnectionId, Client> clients_;
};

}  // namespace px::xenstored
