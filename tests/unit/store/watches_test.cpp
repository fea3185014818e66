// Watches: who hears of what, how it is spelled, in which order.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store/harness.hpp"

namespace px::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WatchesTest : public StoreTest {
protected:
    ConnectionId other = connect_socket();
};

TEST_F(WatchesTest, a_watch_fires_once_when_set_even_on_a_missing_path) {
    EXPECT_EQ(watch(dom0, "/not/there", "tok"), "OK|");
    EXPECT_THAT(events(dom0), ElementsAre("/not/there|tok|"));
}

TEST_F(WatchesTest, the_reply_comes_before_the_event) {
    Message message{{MessageType::watch, 5, 0, 0}, bytes("/a|t|")};
    store.receive(dom0, message);
    auto sent = drain(dom0);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].header.type, MessageType::watch);
    EXPECT_EQ(sent[1].header.type, MessageType::watch_event);
    EXPECT_EQ(sent[1].header.request, 0u);
    message = {{MessageType::write, 6, 0, 0}, bytes("/a|")};
    store.receive(dom0, message);
    sent = drain(dom0);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].header.type, MessageType::write);
}

TEST_F(WatchesTest, an_event_reaches_watches_on_the_path_and_above_it) {
    for (const char* path : {"/", "/a", "/a/b", "/a/b/c", "/ab", "/x"}) watch(dom0, path, "t"s + path);
    events(dom0);
    write(other, "/a/b", "v");
    EXPECT_THAT(events(dom0), testing::UnorderedElementsAre("/a/b|t/a/b|", "/a/b|t/a|", "/a/b|t/|"));
}

TEST_F(WatchesTest, each_kind_of_change_fires) {
    write(dom0, "/a/b", "v");
    watch(dom0, "/a", "t");
    events(dom0);
    write(other, "/a/b", "v");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b|t|"));
    permit(other, "/a/b", "b0|");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b|t|"));
    ask(other, MessageType::mkdir, "/a/c/d|");
    EXPECT_THAT(events(dom0), ElementsAre("/a/c/d|t|"));
    ask(other, MessageType::mkdir, "/a/c|");
    EXPECT_THAT(events(dom0), IsEmpty()) << "it was there";
    rm(other, "/a/b");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b|t|"));
    rm(other, "/a/b");
    EXPECT_THAT(events(dom0), IsEmpty()) << "it was gone";
}

TEST_F(WatchesTest, removing_an_ancestor_fires_watches_below_with_their_own_path) {
    write(dom0, "/a/b/c", "v");
    watch(dom0, "/a/b/c", "low");
    watch(dom0, "/a", "high");
    events(dom0);
    rm(other, "/a/b");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b|high|", "/a/b/c|low|"));
}

TEST_F(WatchesTest, depth_limits_how_far_below_a_watch_hears) {
    ask(dom0, MessageType::watch, "/a|zero|0|");
    ask(dom0, MessageType::watch, "/a|one|1|");
    ask(dom0, MessageType::watch, "/a|all||");
    events(dom0);
    write(other, "/a", "");
    EXPECT_THAT(events(dom0), ElementsAre("/a|zero|", "/a|one|", "/a|all|"));
    write(other, "/a/b", "");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b|one|", "/a/b|all|"));
    write(other, "/a/b/c", "");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b/c|all|"));
}

TEST_F(WatchesTest, a_relative_watch_hears_relative_paths) {
    ConnectionId guest = make_domain(4);
    watch(guest, "device", "t");
    EXPECT_THAT(events(guest), ElementsAre("device|t|"));
    write(dom0, "/local/domain/4/device/vbd", "");
    EXPECT_THAT(events(guest), ElementsAre("device/vbd|t|"));
    EXPECT_EQ(ask(guest, MessageType::unwatch, "device|t|"), "OK|");
    write(dom0, "/local/domain/4/device/vbd", "");
    EXPECT_THAT(events(guest), IsEmpty());
}

TEST_F(WatchesTest, one_watch_per_path_and_token) {
    EXPECT_EQ(watch(dom0, "/a", "t"), "OK|");
    EXPECT_EQ(watch(dom0, "/a", "t"), "!EEXIST|");
    EXPECT_EQ(watch(dom0, "/a", "u"), "OK|");
    EXPECT_EQ(watch(other, "/a", "t"), "OK|");
    EXPECT_EQ(ask(other, MessageType::unwatch, "/a|u|"), "!ENOENT|");
    EXPECT_EQ(ask(dom0, MessageType::unwatch, "/a|u|"), "OK|");
    EXPECT_EQ(ask(dom0, MessageType::unwatch, "/a|u|"), "!ENOENT|");
}

TEST_F(WatchesTest, a_guest_hears_only_of_what_it_can_read_or_could) {
    ConnectionId guest = make_domain(4);
    watch(guest, "/secret", "t");
    EXPECT_THAT(events(guest), ElementsAre("/secret|t|"));
    write(dom0, "/secret/a", "");
    EXPECT_THAT(events(guest), IsEmpty());
    permit(dom0, "/secret/a", "n0|r4|");
    EXPECT_THAT(events(guest), ElementsAre("/secret/a|t|"));
    permit(dom0, "/secret/a", "n0|");
    EXPECT_THAT(events(guest), ElementsAre("/secret/a|t|")) << "it loses sight of it: that is the last it hears";
    write(dom0, "/secret/a", "");
    EXPECT_THAT(events(guest), IsEmpty());
    permit(dom0, "/secret/a", "r0|");
    events(guest);
    rm(dom0, "/secret/a");
    EXPECT_THAT(events(guest), ElementsAre("/secret/a|t|"));
}

TEST_F(WatchesTest, introduction_and_release_are_told_to_dom0_and_whom_it_allows) {
    ConnectionId guest = make_domain(4);
    for (ConnectionId id : {dom0, guest}) {
        watch(id, "@introduceDomain", "i");
        watch(id, "@releaseDomain", "r");
        events(id);
    }
    watch(other, "/", "root");
    events(other);
    make_domain(5);
    EXPECT_THAT(events(dom0), ElementsAre("@introduceDomain|i|"));
    EXPECT_THAT(events(guest), IsEmpty());
    EXPECT_EQ(permit(dom0, "@releaseDomain", "n0|r4|"), "OK|");
    EXPECT_EQ(ask(guest, MessageType::get_perms, "@releaseDomain|"), "n0|r4|");
    ask(dom0, MessageType::release, "5|");
    EXPECT_THAT(events(dom0), ElementsAre("@releaseDomain|r|"));
    EXPECT_THAT(events(guest), ElementsAre("@releaseDomain|r|"));
    for (const std::string& event : events(other)) EXPECT_EQ(event[0], '/') << "a watch on / is no special watch";
}

TEST_F(WatchesTest, reset_forgets_watches_and_transactions_of_the_caller_only) {
    watch(dom0, "/a", "t");
    watch(other, "/a", "t");
    u32 transaction = start(dom0);
    EXPECT_EQ(ask(dom0, MessageType::reset_watches, "|"), "OK|");
    EXPECT_EQ(commit(dom0, transaction), "!ENOENT|");
    events(dom0), events(other);
    write(dom0, "/a", "");
    EXPECT_THAT(events(dom0), IsEmpty());
    EXPECT_THAT(events(other), ElementsAre("/a|t|"));
}

TEST_F(WatchesTest, a_disconnected_client_leaves_no_watch) {
    watch(other, "/a", "t");
    store.disconnect(other);
    EXPECT_EQ(write(dom0, "/a", ""), "OK|");
    EXPECT_THAT(ask(dom0, MessageType::control, "memreport|"), testing::HasSubstr(" 0 watches, 1 connections"));
}

}  // namespace
}  // namespace px::store
