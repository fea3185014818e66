// The wire protocol: messages as bytes, and the two queues of a connection.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "hypervisor/abi/io/xs_wire.hpp"
#include "hypervisor/base/result.hpp"
#include "toolstack/store/codec.hpp"

namespace px::store {

using MessageType = abi::XsMessageType;
inline constexpr u32 message_type_limit = abi::xs_type_count;

/// In front of each message, in the byte order of the machine: abi::XsdSockmsg with a type that has a type.
struct MessageHeader {
    MessageType type;
    u32 request;      ///< chosen by the client, echoed in the reply; 0 in events
    u32 transaction;  ///< 0: none
    u32 length;       ///< bytes that follow, at most payload_max
};
static_assert(sizeof(MessageHeader) == sizeof(abi::XsdSockmsg));

inline constexpr usize payload_max = abi::xenstore_payload_max;

struct Message {
    MessageHeader header;
    std::string payload;
};

/// The bytes of a message; `payload` is at most payload_max long.
std::string encode(MessageType type, u32 request, u32 transaction, std::string_view payload);

/// An error's name on the wire, "ENOENT". Errors that the protocol doesn't know become "EINVAL".
std::string_view error_name(Errno error);
/// The reverse, for clients; an unknown name is eio.
Errno error_from_name(std::string_view name);

/// The NUL-terminated strings of a payload; nothing when the last one isn't terminated.
Result<std::vector<std::string_view>> split_strings(std::string_view payload);

/// Takes bytes as they arrive and yields whole messages.
class Inbox {
public:
    void append(std::span<const char> bytes) { bytes_.append(bytes.data(), bytes.size()); }
    /// Is there a whole message? Error emsgsize for a header that announces more than payload_max: the connection is lost.
    Result<bool> next(Message& message);
    /// What arrived and is no whole message yet.
    std::string_view rest() const { return std::string_view(bytes_).substr(taken_); }

private:
    std::string bytes_;
    usize taken_ = 0;
};

/// Replies and events on their way out. An event that is already queued isn't queued twice.
class Outbox {
public:
    void save(Encoder& out) const;
    /// Into an empty outbox.
    void load(Decoder& in);

    void push_reply(std::string bytes);
    void push_event(std::string bytes);

    bool empty() const { return queue_.empty(); }
    usize size_bytes() const { return size_bytes_; }
    /// What to send next; empty when there is nothing.
    std::string_view front() const { return empty() ? std::string_view{} : std::string_view{queue_.front()}.substr(sent_); }
    /// The first `count` bytes of front() were sent.
    void consume(usize count);

private:
    std::deque<std::string> queue_;
    std::unordered_set<std::string> queued_events_;
    usize sent_ = 0;  // of the front message
    usize size_bytes_ = 0;
};

}  // namespace px::store
