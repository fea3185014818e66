// What the holder and the worker say to each other, over a socket of packets.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"

namespace px::xenstored {

/// The holder says `hello`, a `client` for each connection that it has, `complete`, then a `client` for each
/// new one. The worker says `ready` once it serves, and `drop` for a client that is gone.
struct HolderMessage {
    enum Kind : u32 { hello, client, complete, ready, drop };
    u32 kind;
    u32 writable = 0;  ///< of client
    u64 number = 0;    ///< the client's, never used twice, growing; of hello: the holder's own, another one for each
};

inline constexpr int worker_link_fd = 3;  ///< where a worker finds its end

/// Sends a message, with a descriptor if it has one. Error: EAGAIN when there is no room now.
call::Outcome<> send_message(int link, const HolderMessage& message, int fd = -1);

struct ReceivedMessage {
    HolderMessage message;
    call::Fd fd{};
};
/// The next message; nothing when there is none. Error: the other side is gone.
call::Outcome<std::optional<ReceivedMessage>> receive_message(int link);

}  // namespace px::xenstored
