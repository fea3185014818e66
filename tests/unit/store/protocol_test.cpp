// The protocol, request by request: what each answers to good and to bad input.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store/harness.hpp"
#include "toolstack/store/path.hpp"

namespace px::store {
namespace {

class Protocol : public StoreTest {};

TEST_F(Protocol, a_written_value_is_read_back_with_any_bytes) {
    EXPECT_EQ(write(dom0, "/a/b/c", "x|y"), "OK|");
    EXPECT_EQ(read(dom0, "/a/b/c"), "x|y");
    EXPECT_EQ(read(dom0, "/a/b"), "");
    EXPECT_EQ(read(dom0, "/a/x"), "!ENOENT|");
    EXPECT_EQ(list(dom0, "/"), "a|tool|");
    EXPECT_EQ(list(dom0, "/a/b"), "c|");
    EXPECT_EQ(list(dom0, "/a/b/c"), "");
}

TEST_F(Protocol, mkdir_keeps_a_value) {
    write(dom0, "/a", "v");
    EXPECT_EQ(ask(dom0, MessageType::mkdir, "/a|"), "OK|");
    EXPECT_EQ(read(dom0, "/a"), "v");
    EXPECT_EQ(ask(dom0, MessageType::mkdir, "/a/b/c|"), "OK|");
    EXPECT_EQ(list(dom0, "/a/b"), "c|");
}

TEST_F(Protocol, rm_takes_the_subtree_and_forgives_a_missing_node_with_a_parent) {
    write(dom0, "/a/b/c", "v");
    EXPECT_EQ(rm(dom0, "/a/b"), "OK|");
    EXPECT_EQ(read(dom0, "/a/b/c"), "!ENOENT|");
    EXPECT_EQ(rm(dom0, "/a/b"), "OK|");
    EXPECT_EQ(rm(dom0, "/a/b/c"), "!ENOENT|");
    EXPECT_EQ(rm(dom0, "/"), "!EINVAL|");
}

struct BadCase {
    MessageType type;
    std::string payload;
    std::string reply;
};

TEST_F(Protocol, malformed_requests_get_an_error) {
    write(dom0, "/a", "v");
    std::string long_path = "/" + std::string(3072, 'a');
    const BadCase cases[] = {
        {MessageType::read, "", "!EINVAL|"},
        {MessageType::read, "/a", "!EINVAL|"},
        {MessageType::read, "/a|b|", "!EINVAL|"},
        {MessageType::read, "|", "!EINVAL|"},
        {MessageType::read, "/a/|", "!EINVAL|"},
        {MessageType::read, "//a|", "!EINVAL|"},
        {MessageType::read, "/a b|", "!EINVAL|"},
        {MessageType::read, "/a.b|", "!EINVAL|"},
        {MessageType::read, "/\xc3\xa4|", "!EINVAL|"},
        {MessageType::read, long_path + "|", "!EINVAL|"},
        {MessageType::read, "@releaseDomain|", "!ENOENT|"},  // a relative path of an odd name
        {MessageType::write, "/a", "!EINVAL|"},
        {MessageType::write, "", "!EINVAL|"},
        {MessageType::directory, "/b|", "!ENOENT|"},
        {MessageType::directory_part, "/a|", "!EINVAL|"},
        {MessageType::directory_part, "/a|x|", "!EINVAL|"},
        {MessageType::directory_part, "/a|-1|", "!EINVAL|"},
        {MessageType::directory_part, "/a|0x|", "!EINVAL|"},
        {MessageType::mkdir, "/a|/b|", "!EINVAL|"},
        {MessageType::rm, "/b/c|", "!ENOENT|"},
        {MessageType::get_perms, "/b|", "!ENOENT|"},
        {MessageType::get_perms, "@nothing|", "!ENOENT|"},
        {MessageType::set_perms, "/a|", "!EINVAL|"},
        {MessageType::set_perms, "/a|n0", "!EINVAL|"},
        {MessageType::set_perms, "/a|x0|", "!EINVAL|"},
        {MessageType::set_perms, "/a|n|", "!EINVAL|"},
        {MessageType::set_perms, "/a|n65536|", "!EINVAL|"},
        {MessageType::set_perms, "/a|n-1|", "!EINVAL|"},
        {MessageType::set_perms, "/a|n0||", "!EINVAL|"},
        {MessageType::watch, "/a|", "!EINVAL|"},
        {MessageType::watch, "/a|t", "!EINVAL|"},
        {MessageType::watch, "/a|t|x|", "!EINVAL|"},
        {MessageType::watch, "@other|t|", "!EINVAL|"},
        {MessageType::unwatch, "/a|t|", "!ENOENT|"},
        {MessageType::transaction_end, "T|", "!ENOENT|"},
        {MessageType::introduce, "1|2|", "!EINVAL|"},
        {MessageType::introduce, "0|2|3|", "!EINVAL|"},
        {MessageType::introduce, "32752|2|3|", "!EINVAL|"},
        {MessageType::introduce, "1|2|0|", "!EINVAL|"},
        {MessageType::introduce, "1|x|3|", "!EINVAL|"},
        {MessageType::release, "1|", "!ENOENT|"},
        {MessageType::release, "0|", "!EINVAL|"},
        {MessageType::release, "", "!EINVAL|"},
        {MessageType::resume, "1|", "!ENOENT|"},
        {MessageType::set_target, "1|2|", "!ENOENT|"},
        {MessageType::set_target, "1|", "!EINVAL|"},
        {MessageType::get_domain_path, "x|", "!EINVAL|"},
        {MessageType::is_domain_introduced, "|", "!EINVAL|"},
        {MessageType::control, "", "!EINVAL|"},
        {MessageType::control, "nonsense|", "!EINVAL|"},
        {MessageType::control, "quota|set|watches|many|", "!EINVAL|"},
        {MessageType::control, "quota|set|nothing|5|", "!EINVAL|"},
        {MessageType::control, "quota|9|", "!ENOENT|"},
        {MessageType::watch_event, "/a|t|", "!ENOSYS|"},
        {MessageType::error, "EINVAL|", "!ENOSYS|"},
        {MessageType{20}, "", "!ENOSYS|"},
        {MessageType{23}, "", "!ENOSYS|"},
        {MessageType{0xffffffff}, "", "!ENOSYS|"},
    };
    for (const BadCase& bad : cases) {
        EXPECT_EQ(ask(dom0, bad.type, bad.payload), bad.reply)
            << "type " << static_cast<u32>(bad.type) << " payload " << bad.payload.substr(0, 80);
    }
    EXPECT_EQ(list(dom0, "/"), "a|tool|") << "nothing of this changed the tree";
}

TEST_F(Protocol, paths_have_limits) {
    EXPECT_EQ(write(dom0, "/" + std::string(3071, 'a'), ""), "OK|");
    ConnectionId guest = make_domain(1);
    EXPECT_EQ(write(guest, std::string(2048, 'a'), ""), "OK|");
    EXPECT_EQ(write(guest, std::string(2049, 'a'), ""), "!EINVAL|");
    EXPECT_TRUE(is_valid_path("/A-z_0@9/b"));
}

TEST_F(Protocol, a_domains_relative_paths_start_at_its_directory) {
    ConnectionId guest = make_domain(5);
    EXPECT_EQ(write(guest, "device/vif", "1"), "OK|");
    EXPECT_EQ(read(dom0, "/local/domain/5/device/vif"), "1");
    EXPECT_EQ(read(guest, "/local/domain/5/device/vif"), "1");
    EXPECT_EQ(write(dom0, "/local/domain/0/domid", "0"), "OK|");
    EXPECT_EQ(read(dom0, "domid"), "0") << "libxl reads it so, by the socket";
}

TEST_F(Protocol, an_answer_longer_than_a_message_is_e2big) {
    for (int i = 0; i < 600; ++i) write(dom0, "/many/child" + std::to_string(i), "");
    EXPECT_EQ(list(dom0, "/many"), "!E2BIG|");
}

TEST_F(Protocol, directory_part_walks_a_long_list_and_shows_when_it_changed) {
    std::set<std::string> expected, got;
    for (int i = 0; i < 1500; ++i) expected.insert("child" + std::to_string(i));
    for (const std::string& name : expected) write(dom0, "/many/" + name, "");
    std::string generation;
    usize offset = 0;
    for (bool at_end = false; !at_end;) {
        std::string part = ask(dom0, MessageType::directory_part, "/many|" + std::to_string(offset) + "|");
        ASSERT_LE(part.size(), payload_max);
        std::string now = part.substr(0, part.find('|'));
        if (generation.empty()) generation = now;
        ASSERT_EQ(now, generation);
        part.erase(0, now.size() + 1);
        ASSERT_FALSE(part.empty());
        while (!part.empty()) {
            std::string name = part.substr(0, part.find('|'));
            at_end = name.empty();
            if (!at_end) {
                EXPECT_TRUE(got.insert(name).second) << name;
                offset += name.size() + 1;
            }
            part.erase(0, name.size() + 1);
        }
    }
    EXPECT_EQ(got, expected);
    write(dom0, "/many/one-more", "");
    std::string past_the_end = ask(dom0, MessageType::directory_part, "/many|1000000|");
    EXPECT_NE(past_the_end, generation + "||");
    EXPECT_THAT(past_the_end, testing::EndsWith("||"));
}

TEST_F(Protocol, a_read_only_connection_changes_nothing) {
    ConnectionId reader = connect_socket(false);
    write(dom0, "/a", "v");
    EXPECT_EQ(read(reader, "/a"), "v");
    EXPECT_EQ(write(reader, "/a", "w"), "!EROFS|");
    EXPECT_EQ(rm(reader, "/a"), "!EROFS|");
    EXPECT_EQ(permit(reader, "/a", "b0|"), "!EROFS|");
    EXPECT_EQ(ask(reader, MessageType::mkdir, "/b|"), "!EROFS|");
    EXPECT_EQ(ask(reader, MessageType::introduce, "1|2|3|"), "!EROFS|");
    EXPECT_EQ(ask(reader, MessageType::control, "quota|set|watches|1|"), "!EROFS|");
    EXPECT_EQ(watch(reader, "/a", "t"), "OK|");
}

TEST_F(Protocol, control_commands) {
    EXPECT_THAT(ask(dom0, MessageType::control, "help|"), testing::HasSubstr("quota"));
    EXPECT_EQ(ask(dom0, MessageType::control, "check|"), "OK|");
    EXPECT_EQ(ask(dom0, MessageType::control, "print|hello|"), "OK|");
    EXPECT_THAT(host.lines, testing::ElementsAre("hello"));
    EXPECT_THAT(ask(dom0, MessageType::control, "memreport|"), testing::HasSubstr("3 nodes, 0 watches, 1 connections"));
    EXPECT_EQ(ask(dom0, MessageType::control, "quota|set|watches|64|"), "OK|");
    EXPECT_THAT(ask(dom0, MessageType::control, "quota|"), testing::HasSubstr("watches: 64 "));
    EXPECT_THAT(ask(dom0, MessageType::control, "quota|0|"), testing::HasSubstr("entries: 3 "));
    ConnectionId guest = make_domain(3);
    EXPECT_EQ(ask(guest, MessageType::control, "help|"), "!EACCES|");
}

TEST(Wire, a_message_arrives_in_any_pieces) {
    std::string stream = encode(MessageType::read, 1, 0, std::string("/a\0", 3)) + encode(MessageType::rm, 2, 9, "");
    Inbox inbox;
    std::vector<u32> seen;
    for (char byte : stream) {
        inbox.append(std::span(&byte, 1));
        Message message;
        Result<bool> whole = inbox.next(message);
        ASSERT_TRUE(whole.ok());
        if (*whole) seen.push_back(message.header.request);
    }
    EXPECT_THAT(seen, testing::ElementsAre(1, 2));
}

TEST(Wire, a_payload_beyond_the_limit_ends_the_connection) {
    MessageHeader header{MessageType::read, 1, 0, payload_max + 1};
    Inbox inbox;
    inbox.append(std::span(reinterpret_cast<const char*>(&header), sizeof header));
    Message message;
    auto result = inbox.next(message);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error(), Errno::emsgsize);
}

TEST(Wire, every_error_name_has_its_number) {
    for (const char* name : {"EINVAL", "EACCES", "EEXIST", "EISDIR", "ENOENT", "ENOMEM", "ENOSPC", "EIO", "ENOTEMPTY", "ENOSYS", "EROFS",
                             "EBUSY", "EAGAIN", "EISCONN", "E2BIG", "EPERM"}) {
        EXPECT_EQ(error_name(error_from_name(name)), name);
    }
    EXPECT_EQ(error_name(Errno::ebadf), "EINVAL");
    EXPECT_EQ(error_from_name("EWHATEVER"), Errno::eio);
}

TEST(Wire, an_event_waits_in_the_outbox_once) {
    Outbox outbox;
    outbox.push_reply("reply");
    outbox.push_event("event");
    outbox.push_event("event");
    EXPECT_EQ(outbox.size_bytes(), 10u);
    outbox.consume(5);
    outbox.consume(1);  // the event is on its way: the next one is news
    outbox.push_event("event");
    EXPECT_EQ(outbox.front(), "vent");
    outbox.consume(4);
    EXPECT_EQ(outbox.front(), "event");
    outbox.consume(5);
    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(outbox.size_bytes(), 0u);
}

}  // namespace
}  // namespace px::store
