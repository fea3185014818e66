// The journal's file: what it refuses, and what the program makes of one that another left.
//
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "tests/unit/store/served_store.hpp"
#include "toolstack/xenstored/ledger.hpp"

namespace px::xenstored {
namespace {

using store::Encoder;
using testing::HasSubstr;

class JournalTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/px-journal-XXXXXX";
        directory = mkdtemp(name);
        path = directory + "/journal";
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    /// A store with a client that wrote a node.
    void make() {
        Ledger ledger(path, {});
        ASSERT_TRUE(ledger.open({}).ok());
        Encoder client;
        client.number(u64{1});
        client.number(u8{1});
        ASSERT_TRUE(ledger.perform(RecordKind::connect, client).ok());
        Encoder request;
        request.number(u32{1});
        request.raw(store::encode(store::MessageType::write, 1, 0, std::string_view("/node\0value", 11)));
        ASSERT_TRUE(ledger.perform(RecordKind::receive, request).ok());
    }
    std::string reopened() {
        Ledger ledger(path, {});
        auto opened = ledger.open({});
        if (!opened.ok()) return opened.error().text;
        const store::Node* node = ledger.state().store().tree().find("/node");
        return node ? node->value : "no node";
    }
    std::string read() {
        std::stringstream bytes;
        bytes << std::ifstream(path).rdbuf();
        return bytes.str();
    }
    void write(const std::string& bytes) { std::ofstream(path, std::ios::trunc) << bytes; }
    usize end() {
        JournalHeader header;
        std::memcpy(&header, read().data(), sizeof header);
        return header.end;
    }

    std::string directory, path;
};

TEST_F(JournalTest, is_read_back) {
    make();
    EXPECT_EQ(reopened(), "value");
    EXPECT_EQ(reopened(), "value") << "twice";
}

TEST_F(JournalTest, says_what_is_wrong_with_it) {
    make();
    const std::string good = read();
    auto with = [&](usize offset, const std::string& bytes) {
        std::string bad = good;
        bad.replace(offset, bytes.size(), bytes);
        write(bad);
        return reopened();
    };
    EXPECT_EQ(with(0, "xxxx"),
              "can't use the store's journal " + path + ": it is damaged at offset 0: it doesn't begin as a journal of xenstored does");
    EXPECT_THAT(with(8, "\7"), HasSubstr("it has version 7, this xenstored reads version 1"));
    EXPECT_THAT(with(journal_records + 4, "!"), HasSubstr("damaged at offset 4096: a record's checksum is wrong"));
    EXPECT_THAT(with(journal_records, "\xff\xff\xff"), HasSubstr("a record is longer than what is left"));
    EXPECT_THAT(with(end() - 3, "V"), HasSubstr("checksum"));
    write("");
    EXPECT_THAT(reopened(), HasSubstr("shorter than its first page"));
    write(good);
    EXPECT_EQ(reopened(), "value") << "nothing of a damaged one was changed";
}

TEST_F(JournalTest, cut_off_anywhere_is_an_error) {
    make();
    const std::string good = read();
    const usize records_end = end();
    for (usize length = 0; length < records_end; length += length < journal_records - 8 ? 511 : 1) {
        write(good.substr(0, length));
        EXPECT_THAT(reopened(), HasSubstr("can't use the store's journal")) << length;
    }
    write(good.substr(0, records_end));
    EXPECT_EQ(reopened(), "value");
}

TEST_F(JournalTest, a_changed_byte_in_its_records_is_noticed) {
    make();
    const std::string good = read();
    for (usize offset = journal_records; offset < end(); ++offset) {
        std::string bad = good;
        bad[offset] = static_cast<char>(bad[offset] ^ 0x10);
        write(bad);
        ASSERT_THAT(reopened(), HasSubstr("can't use the store's journal")) << offset;
        write(good);
    }
}

TEST_F(JournalTest, a_record_that_cannot_follow_is_noticed) {
    auto after_bad = [&](RecordKind kind, const Encoder& payload) {
        std::filesystem::remove(path);
        make();
        auto journal = Journal::open(path);
        (**journal).append(kind, payload.bytes());
        return reopened();
    };
    Encoder odd;
    odd.number(u8{1});
    for (auto kind : {RecordKind::change_holder, RecordKind::connect, RecordKind::disconnect, RecordKind::receive, RecordKind::sent,
                      RecordKind::attached, RecordKind::attach_local, RecordKind::reconnect, RecordKind::realign, RecordKind::give_up,
                      RecordKind::domains}) {
        EXPECT_THAT(after_bad(kind, odd), HasSubstr("a record doesn't follow from those before it")) << static_cast<u32>(kind);
    }
    EXPECT_THAT(after_bad(RecordKind::image, odd), HasSubstr("the first record isn't the image, or another one is"));
}

using Program = store::ServedStore;

TEST_F(Program, serves_on_when_its_worker_is_killed) {
    store::Client client = open();
    ASSERT_TRUE(client.write("/a", "1").ok());
    ASSERT_TRUE(client.watch("/a", "t").ok());
    u32 transaction = client.start_transaction().value_or(0);
    ASSERT_TRUE(client.write("/b", "2", transaction).ok());
    for (int times = 0; times < 5; ++times) {
        const pid_t victim = worker();
        ASSERT_EQ(kill(victim, SIGKILL), 0);
        EXPECT_EQ(client.read("/a").value_or(""), "1");
        EXPECT_NE(worker(), victim);
    }
    EXPECT_TRUE(client.end_transaction(transaction, true).value_or(false));
    EXPECT_EQ(open().read("/b").value_or(""), "2");
    ASSERT_TRUE(open().write("/a", "3").ok());
    for (int events = 0; events < 2; ++events) {
        auto event = client.next_event(5000);
        ASSERT_TRUE(event.ok() && *event);
        EXPECT_EQ((*event)->token, "t");
    }
}

TEST_F(Program, started_again_has_its_nodes_but_no_clients) {
    for (int with : {SIGTERM, SIGKILL}) {
        store::Client client = open();
        ASSERT_TRUE(client.write("/kept", "here").ok());
        ASSERT_TRUE(client.watch("/kept", "t").ok());
        const int status = stop(with);
        EXPECT_TRUE(with == SIGKILL ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0);
        EXPECT_FALSE(client.read("/kept").ok());
        start();
        EXPECT_EQ(open().read("/kept").value_or(""), "here");
    }
}

TEST_F(Program, refuses_a_second_one_and_a_damaged_journal) {
    auto fails = [&](const char* expected) {
        const std::string log = directory + "/second";
        const std::string command = std::string(PX_XENSTORED) + " -N --no-domains 2>" + log;
        EXPECT_NE(std::system(command.c_str()), 0);
        std::stringstream said;
        said << std::ifstream(log).rdbuf();
        EXPECT_THAT(said.str(), HasSubstr(expected));
    };
    fails("is locked: another xenstored serves this directory");
    stop();
    std::ofstream(directory + "/journal", std::ios::in | std::ios::out) << "nonsense";
    fails("it doesn't begin as a journal of xenstored does");
}

}  // namespace
}  // namespace px::xenstored
