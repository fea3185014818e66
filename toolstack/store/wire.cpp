// The wire protocol: messages as bytes, and the two queues of a connection.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/store/wire.hpp"

#include <array>
#include <cstring>

namespace px::store {

namespace {

struct ErrorName {
    Errno error;
    std::string_view name;
};
constexpr std::array error_names{
    ErrorName{Errno::einval, "EINVAL"}, ErrorName{Errno::eacces, "EACCES"},   ErrorName{Errno::eexist, "EEXIST"},
    ErrorName{Errno::eisdir, "EISDIR"}, ErrorName{Errno::enoent, "ENOENT"},   ErrorName{Errno::enomem, "ENOMEM"},
    ErrorName{Errno::enospc, "ENOSPC"}, ErrorName{Errno::eio, "EIO"},         ErrorName{Errno::enotempty, "ENOTEMPTY"},
    ErrorName{Errno::enosys, "ENOSYS"}, ErrorName{Errno::erofs, "EROFS"},     ErrorName{Errno::ebusy, "EBUSY"},
    ErrorName{Errno::eagain, "EAGAIN"}, ErrorName{Errno::eisconn, "EISCONN"}, ErrorName{Errno::e2big, "E2BIG"},
    ErrorName{Errno::eperm, "EPERM"},
};

}  // namespace

std::string encode(MessageType type, u32 request, u32 transaction, std::string_view payload) {
    MessageHeader header{type, request, transaction, static_cast<u32>(payload.size())};
    std::string bytes(sizeof header, '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes.append(payload);
}

std::string_view error_name(Errno error) {
    for (const ErrorName& entry : error_names) {
        if (entry.error == error) return entry.name;
    }
    return error_names.front().name;
}

Errno error_from_name(std::string_view name) {
    for (const ErrorName& entry : error_names) {
        if (entry.name == name) return entry.error;
    }
    return Errno::eio;
}

Result<std::vector<std::string_view>> split_strings(std::string_view payload) {
    std::vector<std::string_view> strings;
    while (!payload.empty()) {
        usize end = payload.find('\0');
        REQUIRE(end != std::string_view::npos, einval);
        strings.push_back(payload.substr(0, end));
        payload.remove_prefix(end + 1);
    }
    return strings;
}

Result<bool> Inbox::next(Message& message) {
    usize available = bytes_.size() - taken_;
    if (available < sizeof(MessageHeader)) return false;
    std::memcpy(&message.header, bytes_.data() + taken_, sizeof(MessageHeader));
    REQUIRE(message.header.length <= payload_max, emsgsize);
    if (available < sizeof(MessageHeader) + message.header.length) return false;
    message.payload.assign(bytes_, taken_ + sizeof(MessageHeader), message.header.length);
    taken_ += sizeof(MessageHeader) + message.header.length;
    if (taken_ == bytes_.size() || taken_ > 64 * 1024) {
        bytes_.erase(0, taken_);
        taken_ = 0;
    }
    return true;
}

void Outbox::push_reply(std::string bytes) {
    size_bytes_ += bytes.size();
    queue_.push_back(std::move(bytes));
}

void Outbox::push_event(std::string bytes) {
    if (queued_events_.insert(bytes).second) push_reply(std::move(bytes));
}

void Outbox::consume(usize count) {
    size_bytes_ -= count;
    if (sent_ == 0 && count != 0 && !queued_events_.empty()) queued_events_.erase(queue_.front());
    sent_ += count;
    if (sent_ == queue_.front().size()) {
        queue_.pop_front();
        sent_ = 0;
    }
}

}  // namespace px::store
