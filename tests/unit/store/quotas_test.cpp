// Quotas: each is enforced for guests, not for dom0, and said in the log; domains come and go.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store/harness.hpp"

namespace px::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class QuotasTest : public StoreTest {
protected:
    ConnectionId guest = make_domain(1);
};

TEST_F(QuotasTest, nodes) {
    store.quotas().set(Quota::entries, 10);
    for (int i = 0; i < 9; ++i) ASSERT_EQ(write(guest, "n" + std::to_string(i), ""), "OK|");
    EXPECT_EQ(write(guest, "one-more", ""), "!ENOSPC|");
    EXPECT_EQ(ask(guest, MessageType::mkdir, "one-more|"), "!ENOSPC|");
    EXPECT_THAT(host.lines.at(0), HasSubstr("domain 1 hit its quota 'entries' of 10"));
    EXPECT_EQ(write(guest, "n3", "changed"), "OK|");
    EXPECT_EQ(write(dom0, "/local/domain/1/by-dom0", ""), "OK|");
    rm(guest, "by-dom0");
    rm(guest, "n0");
    EXPECT_EQ(write(guest, "a/b", ""), "!ENOSPC|") << "two nodes, place for one";
    EXPECT_EQ(write(guest, "a", ""), "OK|");
}

TEST_F(QuotasTest, nodes_of_transactions_count_when_they_end) {
    store.quotas().set(Quota::entries, 3);
    u32 t = start(guest), u = start(guest);
    EXPECT_EQ(write(guest, "a", "", t), "OK|");
    EXPECT_EQ(write(guest, "b", "", t), "OK|");
    EXPECT_EQ(write(guest, "c", "", t), "!ENOSPC|");
    EXPECT_EQ(write(guest, "d", "", u), "OK|");
    EXPECT_EQ(write(guest, "e", "", u), "OK|");
    EXPECT_EQ(commit(guest, t), "OK|");
    EXPECT_EQ(commit(guest, u), "!ENOSPC|");
    EXPECT_EQ(store.entries_of(DomId{1}), 3);
}

TEST_F(QuotasTest, watches) {
    for (int i = 0; i < 128; ++i) ASSERT_EQ(watch(guest, "w", std::to_string(i)), "OK|");
    EXPECT_EQ(watch(guest, "w", "more"), "!E2BIG|");
    ask(guest, MessageType::unwatch, "w|5|");
    EXPECT_EQ(watch(guest, "w", "more"), "OK|");
    ask(guest, MessageType::reset_watches, "|");
    EXPECT_EQ(watch(guest, "w", "t"), "OK|");
    for (int i = 0; i < 200; ++i) ASSERT_EQ(watch(dom0, "/w", std::to_string(i)), "OK|");
}

TEST_F(QuotasTest, transactions) {
    std::vector<u32> open;
    for (int i = 0; i < 10; ++i) open.push_back(start(guest));
    EXPECT_EQ(ask(guest, MessageType::transaction_start, "|"), "!ENOSPC|");
    commit(guest, open[4]);
    EXPECT_EQ(read(guest, "/local/domain/1", start(guest)), "");
    for (int i = 0; i < 50; ++i) start(dom0);
}

TEST_F(QuotasTest, the_size_of_a_node_its_permissions_and_its_path) {
    EXPECT_EQ(write(guest, "a", std::string(2044, 'x')), "OK|");
    EXPECT_EQ(write(guest, "a", std::string(2045, 'x')), "!ENOSPC|");
    EXPECT_EQ(write(dom0, "/a", std::string(4000, 'x')), "OK|");
    EXPECT_EQ(permit(guest, "a", "n1|r2|"), "!ENOSPC|") << "the value takes all the room";
    write(guest, "a", "");
    EXPECT_EQ(permit(guest, "a", "n1|r2|r3|r4|r5|"), "OK|");
    EXPECT_EQ(permit(guest, "a", "n1|r2|r3|r4|r5|r6|"), "!ENOSPC|");
    store.quotas().set(Quota::path_length, 20);
    EXPECT_EQ(write(guest, "abcd", ""), "OK|");
    EXPECT_EQ(write(guest, "abcde", ""), "!EINVAL|");
}

TEST_F(QuotasTest, paths_that_one_transaction_touches) {
    store.quotas().set(Quota::transaction_nodes, 4);
    u32 t = start(guest);
    EXPECT_EQ(read(guest, "a", t), "!ENOENT|");  // also its parent's permissions
    EXPECT_EQ(read(guest, "b", t), "!ENOENT|");
    EXPECT_EQ(read(guest, "c", t), "!ENOENT|");
    EXPECT_EQ(read(guest, "d", t), "!ENOSPC|");
}

TEST_F(QuotasTest, a_guest_that_takes_nothing_is_given_up) {
    store.quotas().set(Quota::queued, 1000);
    watch(guest, "x", "t");
    for (int i = 0; i < 100 && !store.is_lost(guest); ++i) write(dom0, "/local/domain/1/x/" + std::to_string(i), "");
    EXPECT_TRUE(store.is_lost(guest));
    EXPECT_LT(store.outbox(guest).size_bytes(), 1100u);
    EXPECT_THAT(host.lines, ElementsAre(HasSubstr("quota 'queued' of 1000")));
}

TEST_F(QuotasTest, the_log_says_it_less_and_less_often) {
    store.quotas().set(Quota::entries, 1);
    for (int i = 0; i < 100; ++i) write(guest, "x", "");
    EXPECT_EQ(host.lines.size(), 7u);  // 1, 2, 4, …, 64
    EXPECT_THAT(ask(dom0, MessageType::control, "quota|1|"), HasSubstr("hits of entries: 100"));
}

TEST_F(QuotasTest, a_domain_is_introduced_once_and_attached_each_time) {
    EXPECT_THAT(host.attached, ElementsAre(1));
    watch(dom0, "@introduceDomain", "t");
    events(dom0);
    EXPECT_EQ(ask(dom0, MessageType::introduce, "1|4096|8|"), "OK|");
    EXPECT_THAT(events(dom0), IsEmpty());
    host.refuse = true;
    EXPECT_EQ(ask(dom0, MessageType::introduce, "2|4096|8|"), "!EINVAL|");
    EXPECT_EQ(ask(dom0, MessageType::is_domain_introduced, "2|"), "F|");
    EXPECT_EQ(ask(dom0, MessageType::is_domain_introduced, "1|"), "T|");
    EXPECT_EQ(ask(dom0, MessageType::is_domain_introduced, "0|"), "T|");
}

TEST_F(QuotasTest, shutdown_and_death_are_told_once_each) {
    DomainState state = DomainState::running;
    auto update = [&] { store.update_domains([&](DomId) { return state; }); };
    watch(dom0, "@releaseDomain", "t");
    events(dom0);
    update();
    EXPECT_THAT(events(dom0), IsEmpty());
    state = DomainState::shut_down;
    update(), update();
    EXPECT_THAT(events(dom0), ElementsAre("@releaseDomain|t|"));
    EXPECT_EQ(ask(dom0, MessageType::resume, "1|"), "OK|");
    update();
    EXPECT_THAT(events(dom0), ElementsAre("@releaseDomain|t|"));
    state = DomainState::gone;
    update();
    EXPECT_THAT(events(dom0), ElementsAre("@releaseDomain|t|"));
    EXPECT_THAT(host.attached, IsEmpty());
    EXPECT_FALSE(store.is_connected(guest));
    EXPECT_EQ(read(dom0, "/local/domain/1"), "!ENOENT|") << "what it owned went with it";
    update();
    EXPECT_THAT(events(dom0), IsEmpty());
}

}  // namespace
}  // namespace px::store
