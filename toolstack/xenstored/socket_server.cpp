// The sockets of the store and the clients on them.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/socket_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace px::xenstored {

using call::failure;
using call::Fd;
using call::Outcome;
using store::ConnectionId;

SocketServer::~SocketServer() {
    for (auto& [fd, path] : listeners_) unlink(path.c_str());
}

Outcome<> SocketServer::listen(const std::string& directory) {
    if (mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return failure("can't make the directory " + directory);
    TRY(listen_on(directory + "/socket", true));
    return listen_on(directory + "/socket_ro", false);
}

Outcome<> SocketServer::listen_on(const std::string& path, bool writable) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, "the socket " + path);
    path.copy(address.sun_path, path.size());
    Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    unlink(path.c_str());
    if (!fd || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
        chmod(path.c_str(), writable ? 0600 : 0660) < 0 || ::listen(fd.get(), 64) < 0) {
        return failure("can't listen on " + path);
    }
    TRY(loop_.add(fd.get(), EPOLLIN, [this, number = fd.get(), writable](u32) { accept_from(number, writable); }));
    listeners_.emplace_back(std::move(fd), path);
    return {};
}

void SocketServer::accept_from(int listener, bool writable) {
    Fd fd{accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!fd) return;
    int number = fd.get();
    ConnectionId id = store_.connect_socket(writable);
    clients_.emplace(id, Client{std::move(fd)});
    if (!loop_.add(number, EPOLLIN, [this, id](u32 events) { serve(id, events); }).ok()) drop(id);
}

void SocketServer::serve(ConnectionId id, u32 events) {
    auto found = clients_.find(id);
    if (found == clients_.end()) return;
    Client& client = found->second;
    bool alive = true;
    if (events & EPOLLOUT) flush(id);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && clients_.contains(id)) alive = receive(id, client);
    if (!alive) drop(id);
}

/// Takes what arrived, and handles each whole message. False when the client is gone or broke the protocol.
bool SocketServer::receive(ConnectionId id, Client& client) {
    char bytes[8192];
    ssize_t count = read(client.fd.get(), bytes, sizeof bytes);
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    client.inbox.append(std::span(bytes, static_cast<usize>(count)));
    for (store::Message message;;) {
        auto whole = client.inbox.next(message);
        if (!whole.ok()) return false;
        if (!*whole) return true;
        store_.receive(id, message);
    }
}

bool SocketServer::flush(ConnectionId id) {
    auto found = clients_.find(id);
    if (found == clients_.end()) return false;
    Client& client = found->second;
    store::Outbox& outbox = store_.outbox(id);
    while (!outbox.empty()) {
        ssize_t count = send(client.fd.get(), outbox.front().data(), outbox.front().size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN) {
            drop(id);
            return true;
        }
        if (count < 0) break;
        outbox.consume(static_cast<usize>(count));
    }
    u32 wanted = (outbox.empty() ? 0u : u32{EPOLLOUT}) | (outbox.size_bytes() < outbox_high_water ? u32{EPOLLIN} : 0u);
    if (wanted != std::exchange(client.waits_for, wanted)) loop_.change(client.fd.get(), wanted);
    return true;
}

void SocketServer::drop(ConnectionId id) {
    auto found = clients_.find(id);
    if (found == clients_.end()) return;
    loop_.remove(found->second.fd.get());
    clients_.erase(found);
    store_.disconnect(id);
}

}  // namespace px::xenstored
