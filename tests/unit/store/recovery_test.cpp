// xenstored is killed at every step, and nobody notices: each client hears what it hears from one that never
// died.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/unit/store/recovery_world.hpp"

namespace px::xenstored::test {
namespace {

using store::MessageType;
using namespace std::string_literals;

/// All that each party heard, and how often a worker died.
struct Story {
    std::map<std::string, std::string> heard;
    u64 steps = 0;
    u32 deaths = 0;
    bool operator==(const Story& other) const { return heard == other.heard; }
};

class Scenario {
public:
    Scenario(u64 die_at, u64 die_every, usize slack)
        : world_(die_at, die_every, slack), kernel_(world_, 0), first_(world_, 1), second_(world_, 2) {}

    Story play() {
        for (auto part : {&Scenario::make_domains, &Scenario::watch, &Scenario::transact, &Scenario::say_much, &Scenario::end_a_domain,
                          &Scenario::begin_anew, &Scenario::leave, &Scenario::break_the_protocol, &Scenario::look}) {
            (this->*part)();
            if (testing::Test::HasFatalFailure()) break;
        }
        Story story{{}, world_.shared().steps, world_.shared().deaths};
        for (auto [name, party] : std::initializer_list<std::pair<const char*, Party*>>{{"xl", &xl_},
                                                                                        {"watcher", &watcher_},
                                                                                        {"reader", &reader_},
                                                                                        {"kernel", &kernel_},
                                                                                        {"first", &first_},
                                                                                        {"second", &second_}}) {
            story.heard[name] = party->heard();
        }
        return story;
    }

private:
    void make_domains() {
        for (std::string id : {"1", "2"}) {
            xl_.ask(MessageType::mkdir, "/local/domain/" + id + "|");
            xl_.ask(MessageType::set_perms, "/local/domain/" + id + "|n" + id + "|");
            xl_.ask(MessageType::introduce, id + "|4096|7|");
        }
        xl_.ask(MessageType::introduce, "3|4096|0|");  // no such port
        xl_.ask(MessageType::introduce, "1|4096|9|");  // a new one
        kernel_.ask(MessageType::read, "/tool/xenstored|");
    }
    void watch() {
        watcher_.ask(MessageType::watch, "/local|local|");
        watcher_.ask(MessageType::watch, "@releaseDomain|ends|");
        first_.ask(MessageType::watch, "data|d|1|");
        first_.ask(MessageType::write, "data|x");
        kernel_.ask(MessageType::watch, "/local/domain/2|k|");
        second_.ask(MessageType::write, "data/deep|" + std::string(300, 'y'));
        reader_.ask(MessageType::write, "/refused|x");
        xl_.ask(MessageType::unwatch, "/nothing|t|");
    }
    void transact() {
        std::string mine = xl_.ask(MessageType::transaction_start, "|"), other = first_.ask(MessageType::transaction_start, "|");
        auto number = [](const std::string& text) { return static_cast<u32>(std::strtoul(text.c_str(), nullptr, 10)); };
        xl_.ask(MessageType::write, "/a/b|1", number(mine));
        first_.ask(MessageType::write, "one|1", number(other));
        xl_.ask(MessageType::read, "/local/domain/1/data|", number(mine));
        first_.ask(MessageType::transaction_end, "T|", number(other));
        xl_.ask(MessageType::write, "/a/c|2", number(mine));
        xl_.ask(MessageType::transaction_end, "T|", number(mine));
        mine = xl_.ask(MessageType::transaction_start, "|");
        xl_.ask(MessageType::read, "/local/domain/1/one|", number(mine));
        first_.ask(MessageType::write, "one|2");
        xl_.ask(MessageType::rm, "/a/b|", number(mine));
        xl_.ask(MessageType::transaction_end, "T|", number(mine));  // it conflicts
    }
    void say_much() {
        first_.ask(MessageType::write, "big|" + std::string(1900, 'z'));
        first_.ask(MessageType::read, "big|");
        std::string burst;
        for (u32 i = 0; i < 30; ++i) burst += store::encode(MessageType::write, 900 + i, 0, "/burst/" + std::to_string(i % 7) + "\0v"s);
        xl_.exchange(burst, 30);
        burst.clear();
        for (u32 i = 0; i < 12; ++i) burst += store::encode(MessageType::read, 800 + i, 0, "big\0"s);
        second_.exchange(burst, 12);
    }
    void end_a_domain() {
        world_.shared().states[1] = store::DomainState::shut_down;
        world_.tell_worker(changed_bit);
        wait_for(watcher_, 2);
        xl_.ask(MessageType::is_domain_introduced, "2|");
        world_.shared().states[2] = store::DomainState::gone;
        world_.tell_worker(changed_bit);
        wait_for(watcher_, 3);
        xl_.ask(MessageType::is_domain_introduced, "2|");
        xl_.ask(MessageType::directory, "/local/domain|");
        world_.shared().states[2] = store::DomainState::running;
        second_.clear_ring();
        xl_.ask(MessageType::introduce, "2|4096|7|");
        second_.ask(MessageType::read, "data|");
    }
    void begin_anew() {
        first_.ask(MessageType::transaction_start, "|");
        ASSERT_TRUE(first_.asks_to_begin_anew());
        first_.ask(MessageType::write, "data|after");
        second_.clear_ring();
        second_.ask(MessageType::get_domain_path, "2|");
    }
    void leave() {
        {
            SocketParty guest(world_);
            guest.ask(MessageType::watch, "/local|gone|");
            guest.ask(MessageType::transaction_start, "|");
            guest.ask(MessageType::write, "/never|x", 1);
        }
        SocketParty probe(world_);  // what it hears doesn't count: it asks as often as it takes
        for (int tries = 0; probe.ask(MessageType::control, "memreport|").find(" 7 connections") == std::string::npos && tries < 500;
             ++tries)
            usleep(2000);
    }
    void break_the_protocol() {
        SocketParty bad(world_);
        store::MessageHeader header{MessageType::read, 1, 0, store::payload_max + 1};
        ASSERT_EQ(write(bad.fd(), &header, sizeof header), static_cast<ssize_t>(sizeof header));
        ASSERT_TRUE(bad.is_closed());
    }
    void look() {
        xl_.ask(MessageType::control, "check|");
        xl_.ask(MessageType::control, "quota|1|");
        list("/");
        reader_.ask(MessageType::read, "/a/c|");
        for (Party* party : std::initializer_list<Party*>{&watcher_, &kernel_, &first_}) party->ask(MessageType::read, "/tool|");
    }
    void list(const std::string& path) {
        xl_.ask(MessageType::get_perms, path + "|");
        xl_.ask(MessageType::read, path + "|");
        std::string names = xl_.ask(MessageType::directory, path + "|");
        for (usize end; (end = names.find('|')) != std::string::npos; names.erase(0, end + 1)) {
            list((path == "/" ? "" : path) + "/" + names.substr(0, end));
        }
    }
    /// Until the watcher has heard `count` events that a domain ended, the one for setting the watch
    /// included.
    void wait_for(Party& party, int count) {
        for (int tries = 0; tries < 2000; ++tries) {
            party.listen();
            int heard = 0;
            for (usize at = 0; (at = party.heard().find("@releaseDomain|ends", at)) != std::string::npos; ++at) ++heard;
            if (heard >= count) return;
        }
        FAIL() << "no event of a domain that ended; heard: " << party.heard();
    }

    World world_;
    SocketParty xl_{world_}, watcher_{world_}, reader_{world_, "/socket_ro"};
    GuestParty kernel_, first_, second_;
};

/// The words of what differs are more use than the whole.
void expect_same(const Story& story, const Story& model, const std::string& when) {
    for (const auto& [name, heard] : model.heard) {
        if (story.heard.at(name) == heard) continue;
        usize at = static_cast<usize>(std::ranges::mismatch(heard, story.heard.at(name)).in1 - heard.begin());
        usize from = at < 60 ? 0 : at - 60;
        ADD_FAILURE() << when << ": " << name << " heard\n"
                      << story.heard.at(name).substr(from, 200) << "\ninstead of\n"
                      << heard.substr(from, 200);
    }
}

constexpr usize never = 1 << 20;

TEST(Recovery, a_worker_may_die_at_each_step) {
    const Story model = Scenario(0, 0, never).play();
    ASSERT_FALSE(HasFatalFailure());
    // How many steps a play takes depends a little on time, for some parties ask until they hear what they want.
    u64 step = 1;
    for (u32 deaths = 1; deaths == 1 && step <= model.steps && !HasFailure(); ++step) {
        Story story = Scenario(step, 0, never).play();
        expect_same(story, model, "killed at step " + std::to_string(step));
        deaths = story.deaths;
        EXPECT_LE(deaths, 1u) << "at step " << step;
    }
    EXPECT_GT(step, 300u);
}

TEST(Recovery, images_of_each_moment_hold_everything) {
    const Story model = Scenario(0, 0, never).play();
    ASSERT_FALSE(HasFatalFailure());
    const Story often = Scenario(0, 0, 0).play();
    expect_same(often, model, "a new image whenever the journal has doubled");
    for (u64 step = 1; step <= often.steps && !HasFailure(); step += 9) {
        expect_same(Scenario(step, 0, 0).play(), model, "with images, killed at step " + std::to_string(step));
    }
}

TEST(Recovery, successors_may_die_as_well) {
    const Story model = Scenario(0, 0, never).play();
    ASSERT_FALSE(HasFatalFailure());
    for (u64 every : {40, 53, 71, 97, 128}) {
        Story story = Scenario(0, every, every % 2 ? 0 : never).play();
        EXPECT_GT(story.deaths, 3u);
        expect_same(story, model, "killed every " + std::to_string(every) + " steps");
    }
}

}  // namespace
}  // namespace px::xenstored::test
