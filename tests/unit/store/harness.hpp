// A store, a fake of its surroundings, and short ways to speak the protocol to it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "toolstack/store/store.hpp"

namespace px::store {

using namespace std::string_literals;

class FakeHost : public Host {
public:
    Result<> attach(DomId domain, Gfn, EvtPort, ConnectionId) override {
        REQUIRE(!refuse, einval);
        attached.insert(domain.raw);
        return {};
    }
    void detach(DomId domain) override { attached.erase(domain.raw); }
    void log(std::string_view line) override { lines.emplace_back(line); }

    std::set<u16> attached;
    std::vector<std::string> lines;
    bool refuse = false;
};

/// The last act of each test is to compare the store's accounts with its tree.
class StoreTest : public testing::Test {
protected:
    /// Payloads are written with '|' for the NUL.
    static std::string bytes(std::string text) {
        std::replace(text.begin(), text.end(), '|', '\0');
        return text;
    }
    static std::string text(std::string bytes) {
        std::replace(bytes.begin(), bytes.end(), '\0', '|');
        return bytes;
    }

    /// Sends a request and returns its reply's payload, "!" in front if it is an error. Events are kept for events().
    std::string ask(ConnectionId from, MessageType type, const std::string& payload, u32 transaction = 0) {
        Message message{{type, 77, transaction, static_cast<u32>(payload.size())}, bytes(payload)};
        store.receive(from, message);
        std::string reply = "no reply";
        for (const Message& sent : drain(from)) {
            if (sent.header.type == MessageType::watch_event) {
                kept[from].push_back(text(sent.payload));
                continue;
            }
            EXPECT_EQ(reply, "no reply") << "a second reply";
            EXPECT_EQ(sent.header.request, 77u);
            EXPECT_EQ(sent.header.transaction, transaction);
            EXPECT_TRUE(sent.header.type == type || sent.header.type == MessageType::error);
            reply = (sent.header.type == MessageType::error ? "!" : "") + text(sent.payload);
        }
        return reply;
    }
    /// The payloads of the watch events that `to` got since the last call.
    std::vector<std::string> events(ConnectionId to) {
        for (const Message& sent : drain(to)) kept[to].push_back(text(sent.payload));
        return std::exchange(kept[to], {});
    }

    std::string read(ConnectionId from, const std::string& path, u32 transaction = 0) {
        return ask(from, MessageType::read, path + "|", transaction);
    }
    std::string write(ConnectionId from, const std::string& path, const std::string& value, u32 transaction = 0) {
        return ask(from, MessageType::write, path + "|" + value, transaction);
    }
    std::string list(ConnectionId from, const std::string& path, u32 transaction = 0) {
        return ask(from, MessageType::directory, path + "|", transaction);
    }
    std::string rm(ConnectionId from, const std::string& path, u32 transaction = 0) {
        return ask(from, MessageType::rm, path + "|", transaction);
    }
    std::string permit(ConnectionId from, const std::string& path, const std::string& permissions, u32 transaction = 0) {
        return ask(from, MessageType::set_perms, path + "|" + permissions, transaction);
    }
    std::string watch(ConnectionId from, const std::string& path, const std::string& token) {
        return ask(from, MessageType::watch, path + "|" + token + "|");
    }
    u32 start(ConnectionId from) { return static_cast<u32>(std::stoul(ask(from, MessageType::transaction_start, "|"))); }
    std::string commit(ConnectionId from, u32 transaction) { return ask(from, MessageType::transaction_end, "T|", transaction); }

    /// A domain as xl makes it: its directory owned by it, and introduced.
    ConnectionId make_domain(u16 number) {
        std::string id = std::to_string(number), home = "/local/domain/" + id;
        EXPECT_EQ(ask(dom0, MessageType::mkdir, home + "|"), "OK|");
        EXPECT_EQ(permit(dom0, home, "n" + id + "|"), "OK|");
        ConnectionId before = last_connection;
        EXPECT_EQ(ask(dom0, MessageType::introduce, id + "|4096|7|"), "OK|");
        last_connection = ConnectionId{before.raw + 1};
        return last_connection;
    }
    ConnectionId connect_socket(bool writable = true) { return last_connection = store.connect_socket(writable); }

    void TearDown() override { EXPECT_EQ(store.check(), std::nullopt); }

    std::vector<Message> drain(ConnectionId from) {
        Inbox inbox;
        Outbox& outbox = store.outbox(from);
        while (!outbox.empty()) {
            usize some = std::min<usize>(outbox.front().size(), 7);  // in pieces, as a ring would
            inbox.append(std::span(outbox.front().data(), some));
            outbox.consume(some);
        }
        std::vector<Message> messages;
        for (Message message; inbox.next(message).value_or(false);) messages.push_back(message);
        return messages;
    }

    FakeHost host;
    Store store{host};
    ConnectionId last_connection{};
    ConnectionId dom0 = connect_socket();
    std::map<ConnectionId, std::vector<std::string>> kept;
};

}  // namespace px::store
