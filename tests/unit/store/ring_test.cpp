// The ring between a domain and xenstored: any alignment, hostile indices, and no lost wake-up.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/ring.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>

namespace px::xenstored {
namespace {

using store::Inbox;
using store::Message;
using store::MessageType;
using store::Outbox;

/// A guest's end, by Linux's rules: it sends an event only if it saw that everything before was taken.
struct Guest {
    abi::XenstoreDomainInterface& page;

    /// Puts as much of `bytes` into the ring as fits; returns how much, and whether an event is due.
    std::pair<usize, bool> write(std::string_view bytes) {
        u32 producer = page.req_prod, consumer = __atomic_load_n(&page.req_cons, __ATOMIC_ACQUIRE);
        usize count = std::min<usize>(bytes.size(), abi::xenstore_ring_size - (producer - consumer));
        for (usize i = 0; i < count; ++i) page.req[abi::mask_xenstore_idx(producer + static_cast<u32>(i))] = bytes[i];
        __atomic_store_n(&page.req_prod, producer + static_cast<u32>(count), __ATOMIC_RELEASE);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return {count, producer == __atomic_load_n(&page.req_cons, __ATOMIC_ACQUIRE)};
    }
    /// Takes all that is there; the second: whether an event is due, since the ring was full.
    std::pair<std::string, bool> read() {
        u32 consumer = page.rsp_cons, producer = __atomic_load_n(&page.rsp_prod, __ATOMIC_ACQUIRE);
        std::string bytes;
        for (u32 i = consumer; i != producer; ++i) bytes += page.rsp[abi::mask_xenstore_idx(i)];
        __atomic_store_n(&page.rsp_cons, producer, __ATOMIC_RELEASE);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return {bytes, __atomic_load_n(&page.rsp_prod, __ATOMIC_ACQUIRE) - consumer >= abi::xenstore_ring_size};
    }
};

/// What xenstored does without a journal: takes what is there.
Result<bool> receive(Ring& ring, Inbox& inbox) {
    store::Encoder bytes;
    u32 count = TRY(ring.peek(bytes));
    inbox.append(bytes.bytes());
    ring.set_taken(ring.indices().request + count);
    return count != 0;
}
Result<bool> send(Ring& ring, Outbox& outbox) {
    u32 count = TRY(ring.send(outbox.front()));
    if (count != 0) outbox.consume(count);
    return count != 0;
}

class RingTest : public testing::Test {
protected:
    void start_at(u32 index) { page.req_cons = page.req_prod = page.rsp_cons = page.rsp_prod = index; }
    abi::XenstoreDomainInterface page{};
    Guest guest{page};
    Ring ring{page};
};

TEST_F(RingTest, messages_pass_wherever_the_indices_stand) {
    for (u32 start : {0u, 1000u, 1023u, 0xfffffff0u}) {
        start_at(start);
        Inbox inbox;
        std::string request = store::encode(MessageType::write, 1, 0, std::string(500, 'x'));
        EXPECT_EQ(guest.write(request).first, request.size());
        EXPECT_TRUE(receive(ring, inbox).value_or(false));
        EXPECT_FALSE(receive(ring, inbox).value_or(true));
        Message message;
        ASSERT_TRUE(inbox.next(message).value_or(false));
        EXPECT_EQ(message.payload, std::string(500, 'x'));

        Outbox outbox;
        std::string reply = store::encode(MessageType::read, 1, 0, std::string(3000, 'y')), got;
        outbox.push_reply(reply);
        while (!outbox.empty()) {
            ASSERT_TRUE(send(ring, outbox).value_or(false));
            got += guest.read().first;
        }
        EXPECT_EQ(got, reply);
    }
}

TEST_F(RingTest, impossible_indices_are_an_error_and_move_nothing) {
    Inbox inbox;
    Outbox outbox;
    outbox.push_reply("x");
    page.req_prod = page.req_cons + abi::xenstore_ring_size + 1;
    EXPECT_EQ(receive(ring, inbox).error(), Errno::einval);
    page.req_prod = page.req_cons - 1;
    EXPECT_EQ(receive(ring, inbox).error(), Errno::einval);
    page.rsp_cons = page.rsp_prod + 1;
    EXPECT_EQ(send(ring, outbox).error(), Errno::einval);
    page.rsp_cons = page.rsp_prod - abi::xenstore_ring_size - 1;
    EXPECT_EQ(send(ring, outbox).error(), Errno::einval);
    EXPECT_EQ(outbox.size_bytes(), 1u);
}

TEST_F(RingTest, a_full_ring_takes_nothing_more) {
    Outbox outbox;
    outbox.push_reply(std::string(1500, 'x'));
    EXPECT_TRUE(send(ring, outbox).value_or(false));
    EXPECT_EQ(outbox.size_bytes(), 1500 - abi::xenstore_ring_size);
    EXPECT_FALSE(send(ring, outbox).value_or(true));
}

TEST_F(RingTest, a_guest_may_begin_anew) {
    ring.connect();
    EXPECT_FALSE(ring.wants_reconnection());
    start_at(77);
    guest.write("half a message");
    page.connection = static_cast<u32>(abi::XenstoreConnection::reconnect);
    EXPECT_TRUE(ring.wants_reconnection());
    ring.reconnect();
    EXPECT_EQ(page.connection, static_cast<u32>(abi::XenstoreConnection::connected));
    Inbox inbox;
    EXPECT_FALSE(receive(ring, inbox).value_or(true));
}

/// A guest and a server on two threads, each asleep until the other sends an event. One lost event and both sleep for ever.
TEST_F(RingTest, no_wake_up_is_lost) {
    constexpr u32 messages = 20000;
    std::counting_semaphore<> to_server(0), to_guest(0);
    std::atomic<bool> stalled = false;
    auto sleep = [&](std::counting_semaphore<>& events) {
        if (!events.try_acquire_for(std::chrono::seconds(5))) stalled = true;
        return !stalled;
    };
    std::thread server([&] {
        Inbox inbox;
        Outbox outbox;
        for (u32 answered = 0; answered < messages || !outbox.empty();) {
            bool progress = false;
            if (outbox.size_bytes() < 4096 && receive(ring, inbox).value_or(false)) progress = true;
            for (Message message; inbox.next(message).value_or(false); ++answered) {
                outbox.push_reply(store::encode(message.header.type, message.header.request, 0, message.payload));
            }
            if (send(ring, outbox).value_or(false)) progress = true;
            if (progress) to_guest.release();
            else if (!sleep(to_server)) return;
        }
    });
    std::string to_write;
    u32 asked = 0, answered = 0;
    Inbox replies;
    while (answered < messages) {
        if (to_write.empty() && asked < messages) {
            to_write = store::encode(MessageType::read, asked, 0, std::string(asked % 97, 'p'));
            ++asked;
        }
        bool progress = false;
        if (!to_write.empty()) {
            auto [count, event] = guest.write(to_write);
            to_write.erase(0, count);
            if (count != 0 && event) to_server.release();
            progress = count != 0;
        }
        auto [bytes, event] = guest.read();
        if (!bytes.empty()) progress = true;
        if (!bytes.empty() && event) to_server.release();
        replies.append(bytes);
        for (Message message; replies.next(message).value_or(false); ++answered) ASSERT_EQ(message.header.request, answered);
        if (!progress && !sleep(to_guest)) break;
    }
    server.join();
    EXPECT_FALSE(stalled) << answered << " of " << asked << " answered";
}

}  // namespace
}  // namespace px::xenstored
