// Transactions: isolation, and conflicts exactly where paths overlap.
//
// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/unit/store/harness.hpp"

namespace px::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Transactions : public StoreTest {
protected:
    ConnectionId other = connect_socket();
};

TEST_F(Transactions, changes_show_at_the_end_and_only_then) {
    watch(dom0, "/a", "t");
    events(dom0);
    u32 t = start(other);
    EXPECT_EQ(write(other, "/a/b", "v", t), "OK|");
    EXPECT_EQ(read(other, "/a/b", t), "v");
    EXPECT_EQ(read(other, "/a/b"), "!ENOENT|");
    EXPECT_THAT(events(dom0), IsEmpty());
    EXPECT_EQ(commit(other, t), "OK|");
    EXPECT_EQ(read(dom0, "/a/b"), "v");
    EXPECT_THAT(events(dom0), ElementsAre("/a/b|t|"));
    EXPECT_EQ(commit(other, t), "!ENOENT|");
}

TEST_F(Transactions, a_discarded_one_leaves_nothing) {
    u32 t = start(dom0);
    write(dom0, "/a", "v", t);
    EXPECT_EQ(ask(dom0, MessageType::transaction_end, "F|", t), "OK|");
    EXPECT_EQ(read(dom0, "/a"), "!ENOENT|");
    EXPECT_EQ(read(dom0, "/", t), "!ENOENT|");
}

TEST_F(Transactions, bad_use) {
    u32 t = start(dom0);
    EXPECT_EQ(ask(dom0, MessageType::transaction_start, "|", t), "!EBUSY|");
    EXPECT_EQ(ask(dom0, MessageType::transaction_end, "X|", t), "!EINVAL|");
    EXPECT_EQ(ask(dom0, MessageType::transaction_end, "T", t), "!EINVAL|");
    EXPECT_EQ(read(other, "/tool", t), "!ENOENT|") << "another client's transaction";
    EXPECT_EQ(read(dom0, "/tool", t + 1), "!ENOENT|");
    EXPECT_EQ(ask(dom0, MessageType::watch, "/a|t|", 12345), "OK|") << "WATCH ignores it";
}

class Overlaps : public Transactions {
public:
    std::string r(const char* p, u32 t) { return read(dom0, p, t); }
    std::string w(const char* p, const char* v, u32 t = 0) { return write(t ? dom0 : other, p, v, t); }
    std::string d(const char* p, u32 t = 0) { return rm(t ? dom0 : other, p, t); }
    std::string l(const char* p, u32 t) { return list(dom0, p, t); }
    std::string s(const char* p, const char* v, u32 t = 0) { return permit(t ? dom0 : other, p, v, t); }
};

TEST_F(Overlaps, conflicts_only_where_paths_overlap) {
    struct Row {  // what a transaction does, what another client does meanwhile, and whether the end conflicts
        const char* name;
        std::function<void(u32)> inside;
        std::function<void()> meanwhile;
        bool conflicts;
    };
    const Row rows[] = {
        {"read and written",
         [&](u32 t) {
             r("/a/x", t);
             w("/out", "1", t);
         },
         [&] { w("/a/x", "new"); }, true},
        {"read, other path written",
         [&](u32 t) {
             r("/a/x", t);
             w("/out", "1", t);
         },
         [&] { w("/a/y", "new"); }, false},
        {"written and written", [&](u32 t) { w("/a/x", "1", t); }, [&] { w("/a/x", "2"); }, true},
        {"siblings written", [&](u32 t) { w("/a/x", "1", t); }, [&] { w("/a/y", "2"); }, false},
        {"siblings created", [&](u32 t) { w("/a/new1", "1", t); }, [&] { w("/a/new2", "2"); }, false},
        {"same created", [&](u32 t) { w("/a/new1", "1", t); }, [&] { w("/a/new1", "1"); }, true},
        {"listed and child added",
         [&](u32 t) {
             l("/a", t);
             w("/out", "1", t);
         },
         [&] { w("/a/new", "2"); }, true},
        {"listed and child removed",
         [&](u32 t) {
             l("/a", t);
             w("/out", "1", t);
         },
         [&] { d("/a/x"); }, true},
        {"listed and child's value written",
         [&](u32 t) {
             l("/a", t);
             w("/out", "1", t);
         },
         [&] { w("/a/x", "2"); }, false},
        {"listed and grandchild added",
         [&](u32 t) {
             l("/a", t);
             w("/out", "1", t);
         },
         [&] { w("/a/x/z", "2"); }, false},
        {"found missing and created",
         [&](u32 t) {
             r("/a/new", t);
             w("/out", "1", t);
         },
         [&] { w("/a/new", "2"); }, true},
        {"read and removed",
         [&](u32 t) {
             r("/a/x", t);
             w("/out", "1", t);
         },
         [&] { d("/a"); }, true},
        {"removed and changed below", [&](u32 t) { d("/a", t); }, [&] { w("/a/x/deep/er", "2"); }, true},
        {"removed and changed beside", [&](u32 t) { d("/a/x", t); }, [&] { w("/a/y", "2"); }, false},
        {"created below what was removed", [&](u32 t) { w("/a/x/new", "1", t); }, [&] { d("/a/y"); }, false},
        {"permissions of another node",
         [&](u32 t) {
             r("/a/x", t);
             w("/out", "1", t);
         },
         [&] { s("/a/y", "b0|"); }, false},
        {"permissions set twice", [&](u32 t) { s("/a/x", "r0|", t); }, [&] { s("/a/x", "b0|"); }, true},
        {"written to what it was",
         [&](u32 t) {
             r("/a/x", t);
             w("/out", "1", t);
         },
         [&] { w("/a/x", "x"); }, false},
        {"only reads, overtaken", [&](u32 t) { r("/a/x", t); }, [&] { w("/a/x", "2"); }, true},
    };
    for (const Row& row : rows) {
        d("/a"), d("/out");
        w("/a/x", "x"), w("/a/y", "y");
        u32 t = start(dom0);
        row.inside(t);
        row.meanwhile();
        EXPECT_EQ(commit(dom0, t), row.conflicts ? "!EAGAIN|" : "OK|") << row.name;
        EXPECT_EQ(store.check(), std::nullopt) << row.name;
    }
}

TEST_F(Transactions, both_of_two_that_do_not_overlap_take_effect) {
    u32 t = start(dom0), u = start(other);
    write(dom0, "/a/1", "one", t);
    write(other, "/a/2", "two", u);
    EXPECT_EQ(commit(dom0, t), "OK|");
    EXPECT_EQ(commit(other, u), "OK|");
    EXPECT_EQ(list(dom0, "/a"), "1|2|");
}

TEST_F(Transactions, a_guest_depends_on_the_permissions_it_was_judged_by) {
    ConnectionId guest = make_domain(1);
    u32 t = start(guest);
    EXPECT_EQ(write(guest, "data", "v", t), "OK|");
    permit(dom0, "/local/domain/1", "n0|r1|");
    EXPECT_EQ(commit(guest, t), "!EAGAIN|");
}

TEST_F(Transactions, the_end_of_a_domain_conflicts_with_what_used_its_nodes) {
    make_domain(1);
    u32 t = start(dom0);
    write(dom0, "/local/domain/1/a", "v", t);
    ask(dom0, MessageType::release, "1|");
    EXPECT_EQ(commit(dom0, t), "OK|") << "creating it again is no conflict";
    EXPECT_EQ(ask(dom0, MessageType::get_perms, "/local/domain/1/a|"), "n0|");
}

/// Random transactions of several clients: whatever commits must equal the same transactions done one after the other.
TEST_F(Transactions, committed_transactions_are_serializable) {
    std::mt19937 random(1);
    auto any = [&](u32 below) { return static_cast<u32>(random() % below); };
    auto path = [&] { return "/t/" + std::string(1, static_cast<char>('a' + any(3))) + (any(2) ? "/" + std::to_string(any(2)) : ""); };
    struct Step {
        int kind;
        std::string path, value, reply;
    };
    auto run = [&](ConnectionId on, const Step& step, u32 t) {
        switch (step.kind) {
        case 0: return read(on, step.path, t);
        case 1: return write(on, step.path, step.value, t);
        case 2: return rm(on, step.path, t);
        default: return list(on, step.path, t);
        }
    };
    FakeHost serial_host;
    Store serial(serial_host);
    ConnectionId serial_client = serial.connect_socket(true);
    auto run_serially = [&](const Step& step) {
        constexpr MessageType types[] = {MessageType::read, MessageType::write, MessageType::rm, MessageType::directory};
        std::string payload = step.path + "|" + (step.kind == 1 ? step.value : "");
        serial.receive(serial_client, {{types[step.kind], 0, 0, 0}, bytes(payload)});
        Outbox& outbox = serial.outbox(serial_client);
        std::string reply(outbox.front());
        outbox.consume(reply.size());
        bool failed = static_cast<u8>(reply[0]) == static_cast<u8>(MessageType::error);
        return (failed ? "!" : "") + text(reply.substr(sizeof(MessageHeader)));
    };
    run_serially({1, "/t/a", "", ""});
    write(dom0, "/t/a", "");
    int committed = 0, refused = 0;
    for (int round = 0; round < 2000; ++round) {
        const ConnectionId clients[] = {dom0, other};
        u32 ids[] = {start(dom0), start(other)};
        std::vector<Step> logs[2];
        for (int i = 0; i < 6; ++i) {
            u32 who = any(2);
            Step step{static_cast<int>(any(4)), path(), std::to_string(any(3)), ""};
            step.reply = run(clients[who], step, ids[who]);
            logs[who].push_back(step);
        }
        for (u32 who : {0u, 1u}) {
            if (commit(clients[who], ids[who]) != "OK|") {
                ++refused;
                continue;
            }
            ++committed;
            for (const Step& step : logs[who]) ASSERT_EQ(run_serially(step), step.reply) << "round " << round << " " << step.path;
        }
    }
    EXPECT_GT(committed, 2000);
    EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace px::store
