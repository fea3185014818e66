// The clients on sockets. The sockets belong to the holder, which hands each of them to us.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/socket_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace px::xenstored {

using call::Fd;
using call::Outcome;
using store::ConnectionId;
using store::Encoder;

template <class Action>
void SocketServer::guard(Action&& action) {
    if (auto done = action(); !done.ok()) failure_ = std::move(done);
}

Outcome<> SocketServer::serve() {
    while (!complete_) {
        pollfd wait{link_, POLLIN, 0};
        if (poll(&wait, 1, -1) < 0 && errno != EINTR) return call::failure("can't wait for the holder");
        TRY(take_messages());
    }
    return loop_.add(link_, EPOLLIN, [this](u32) { guard([&] { return take_messages(); }); });
}

Outcome<> SocketServer::take_messages() {
    for (;;) {
        auto received = TRY(receive_message(link_));
        if (!received) return {};
        TRY(take(received->message, std::move(received->fd)));
    }
}

Outcome<> SocketServer::take(HolderMessage message, Fd fd) {
    const State& state = ledger_.state();
    Encoder record;
    record.number(message.number);
    if (message.kind == HolderMessage::hello) {
        return message.number == state.holder() ? Outcome<>{} : ledger_.perform(RecordKind::change_holder, record);
    }
    if (message.kind == HolderMessage::complete) {
        complete_ = true;
        return forget_missing();
    }
    if (message.kind != HolderMessage::client || !fd) return {};
    if (message.number > state.last_number()) {
        record.number(static_cast<u8>(message.writable));
        TRY(ledger_.perform(RecordKind::connect, record));
    }
    auto known = std::ranges::find_if(state.clients(), [&](const auto& entry) { return entry.second.number == message.number; });
    if (known == state.clients().end()) {  // done with before a predecessor died, who didn't come to say so
        shutdown(fd.get(), SHUT_RDWR);
        return tell_dropped(message.number);
    }
    ConnectionId id = known->first;
    int number = fd.get();
    clients_.emplace(id, Client{std::move(fd), message.number});
    TRY(loop_.add(number, EPOLLIN, [this, id](u32 events) { guard([&] { return serve_client(id, events); }); }));
    return flush(id);
}

/// Clients that the holder has no more.
Outcome<> SocketServer::forget_missing() {
    std::vector<ConnectionId> missing;
    for (const auto& [id, client] : ledger_.state().clients()) {
        if (!clients_.contains(id)) missing.push_back(id);
    }
    for (ConnectionId id : missing) {
        Encoder record;
        record.number(id.raw);
        TRY(ledger_.perform(RecordKind::disconnect, record));
    }
    return {};
}

Outcome<> SocketServer::serve_client(ConnectionId id, u32 events) {
    if (events & EPOLLOUT) TRY(flush(id));
    auto found = clients_.find(id);
    if (found == clients_.end() || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return {};
    return TRY(ledger_.receive(found->second.fd.get(), id)) ? Outcome<>{} : drop(id);
}

Outcome<> SocketServer::flush(ConnectionId id) {
    auto found = clients_.find(id);
    if (found == clients_.end()) return {};
    Client& client = found->second;
    if (!TRY(ledger_.flush(client.fd.get(), id))) return drop(id);
    store::Outbox& outbox = ledger_.state().store().outbox(id);
    u32 wanted = (outbox.empty() ? 0u : u32{EPOLLOUT}) | (outbox.size_bytes() < outbox_high_water ? u32{EPOLLIN} : 0u);
    if (wanted != std::exchange(client.waits_for, wanted)) loop_.change(client.fd.get(), wanted);
    return {};
}

/// The client is gone, or broke the protocol. The holder has its socket too, so it is shut down for both.
Outcome<> SocketServer::drop(ConnectionId id) {
    auto found = clients_.find(id);
    if (found == clients_.end()) return {};
    if (ledger_.state().clients().contains(id)) {
        Encoder record;
        record.number(id.raw);
        TRY(ledger_.perform(RecordKind::disconnect, record));
    }
    u64 number = found->second.number;
    shutdown(found->second.fd.get(), SHUT_RDWR);
    loop_.remove(found->second.fd.get());
    clients_.erase(found);
    return tell_dropped(number);
}

Outcome<> SocketServer::tell_dropped(u64 number) { return send_message(link_, {HolderMessage::drop, 0, number}); }

}  // namespace px::xenstored
