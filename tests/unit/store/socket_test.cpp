// The store over a real socket: server and client, without a hypervisor.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/store/served_store.hpp"
#include "toolstack/xenstored/options.hpp"

namespace px::store {
namespace {

using Socket = ServedStore;

TEST_F(Socket, a_client_reads_writes_lists_and_removes) {
    Client client = open();
    EXPECT_TRUE(client.write("/a/b", "v\0w"s).ok());
    EXPECT_EQ(client.read("/a/b").value_or(""), "v\0w"s);
    EXPECT_THAT(client.list("/a").value_or({}), testing::ElementsAre("b"));
    EXPECT_TRUE(client.set_permissions("/a", {{DomId{0}, Access::none}, {DomId{3}, Access::both}}).ok());
    EXPECT_THAT(client.permissions("/a").value_or({}), testing::SizeIs(2));
    EXPECT_TRUE(client.remove("/a").ok());
    auto gone = client.read("/a/b");
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().code, ENOENT);
    EXPECT_EQ(gone.error().text, "can't read /a/b in the store: No such file or directory");
    auto nothing = client.read_optional("/a/b");
    EXPECT_TRUE(nothing.ok() && !*nothing);
}

TEST_F(Socket, long_lists_come_in_parts) {
    Client client = open();
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(client.write("/many/number-" + std::to_string(i), "").ok());
    EXPECT_THAT(client.list("/many").value_or({}), testing::SizeIs(1000));
}

TEST_F(Socket, events_wait_while_requests_go_on) {
    Client client = open(), other = open();
    ASSERT_TRUE(client.watch("/w", "token").ok());
    ASSERT_TRUE(other.write("/w/x", "").ok());
    ASSERT_TRUE(client.write("/y", "").ok());
    for (const char* path : {"/w", "/w/x"}) {
        auto event = client.next_event(2000);
        ASSERT_TRUE(event.ok() && *event);
        EXPECT_EQ((*event)->path, path);
        EXPECT_EQ((*event)->token, "token");
    }
    auto none = client.next_event(0);
    EXPECT_TRUE(none.ok() && !*none);
}

TEST_F(Socket, transact_tries_again_until_nobody_interferes) {
    Client client = open(), other = open();
    ASSERT_TRUE(client.write("/n", "0").ok());
    int tries = 0;
    auto done = client.transact([&](u32 transaction) -> call::Outcome<> {
        std::string value = TRY(client.read("/n", transaction));
        if (++tries < 3) TRY(other.write("/n", std::to_string(tries)));
        return client.write("/n", value + "!", transaction);
    });
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(tries, 3);
    EXPECT_EQ(client.read("/n").value_or(""), "2!");
    auto failed = client.transact([&](u32 transaction) -> call::Outcome<> {
        TRY(client.write("/left", "", transaction));
        TRY(client.read("/nothing", transaction));
        return {};
    });
    EXPECT_FALSE(failed.ok());
    EXPECT_FALSE(client.read("/left").ok());
}

TEST_F(Socket, a_slow_client_gets_everything) {
    Client client = open();
    std::string value(4000, 'x');
    ASSERT_TRUE(client.write("/big", value).ok());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = directory + "/socket";
    path.copy(address.sun_path, path.size());
    call::Fd raw{::socket(AF_UNIX, SOCK_STREAM, 0)};
    ASSERT_EQ(connect(raw.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    constexpr int requests = 2000;  // 8 MB of replies, far beyond any buffer
    std::thread writer([&] {
        std::string request = encode(MessageType::read, 5, 0, "/big\0"s);
        for (int i = 0; i < requests; ++i)
            EXPECT_EQ(write(raw.get(), request.data(), request.size()), static_cast<ssize_t>(request.size()));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_EQ(client.read("/big").value_or(""), value) << "others are served meanwhile";
    Inbox inbox;
    int got = 0;
    for (char bytes[65536]; got < requests;) {
        ssize_t count = read(raw.get(), bytes, sizeof bytes);
        ASSERT_GT(count, 0);
        inbox.append(std::span(bytes, static_cast<usize>(count)));
        for (Message message; inbox.next(message).value_or(false); ++got) ASSERT_EQ(message.payload, value);
    }
    writer.join();
}

TEST_F(Socket, a_client_that_breaks_the_protocol_is_cut_off_alone) {
    Client good = open();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = directory + "/socket";
    path.copy(address.sun_path, path.size());
    call::Fd raw{::socket(AF_UNIX, SOCK_STREAM, 0)};
    ASSERT_EQ(connect(raw.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    MessageHeader header{MessageType::write, 1, 0, payload_max + 1};
    ASSERT_EQ(write(raw.get(), &header, sizeof header), static_cast<ssize_t>(sizeof header));
    char byte;
    EXPECT_EQ(read(raw.get(), &byte, 1), 0) << "closed";
    EXPECT_TRUE(good.write("/a", "").ok());
}

TEST(ClientErrors, say_that_xenstored_is_not_running) {
    setenv("XENSTORED_PATH", "/nowhere/socket", 1);
    auto client = Client::open(Client::Via::socket);
    unsetenv("XENSTORED_PATH");
    ASSERT_FALSE(client.ok());
    EXPECT_THAT(client.error().text, testing::StartsWith("xenstored is not running (/nowhere/socket:"));
}

TEST(DaemonOptions, are_debians) {
    auto parse = [](std::vector<const char*> words) {
        words.insert(words.begin(), "xenstored");
        return xenstored::parse_options(static_cast<int>(words.size()), const_cast<char**>(words.data()));
    };
    auto options = parse({"--no-fork", "--pid-file", "/run/x.pid", "-E", "5", "--watch-nb=7", "-Q", "transaction-nodes=9", "-I", "-D"});
    ASSERT_TRUE(options);
    EXPECT_FALSE(options->fork);
    EXPECT_FALSE(options->dom0_ring);
    EXPECT_EQ(options->pid_file, "/run/x.pid");
    EXPECT_EQ(options->quotas[Quota::entries], 5u);
    EXPECT_EQ(options->quotas[Quota::watches], 7u);
    EXPECT_EQ(options->quotas[Quota::transaction_nodes], 9u);
    EXPECT_FALSE(parse({"--entry-nb", "many"}));
    EXPECT_FALSE(parse({"--quota", "nothing=5"}));
    EXPECT_FALSE(parse({"--quota", "watches"}));
    EXPECT_FALSE(parse({"--nonsense"}));
}

}  // namespace
}  // namespace px::store
