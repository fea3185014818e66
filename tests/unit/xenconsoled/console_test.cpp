// Parts of xenconsoled: the ring, logs, the throttle, terminals, and a person at the console.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "toolstack/xenconsoled/attach.hpp"
#include "toolstack/xenconsoled/console_ring.hpp"
#include "toolstack/xenconsoled/log_file.hpp"
#include "toolstack/xenconsoled/pty.hpp"
#include "toolstack/xenconsoled/throttle.hpp"

namespace px::console {
namespace {

void guest_prints(abi::XenconsInterface& page, std::string_view text) {
    for (char c : text) page.out[page.out_prod++ % sizeof page.out] = c;
}

TEST(ConsoleRingTest, output_and_input_pass_wherever_the_indices_stand) {
    for (u32 start : {0u, 2040u, 0xfffffffau}) {
        abi::XenconsInterface page{};
        page.out_cons = page.out_prod = page.in_cons = page.in_prod = start;
        ConsoleRing ring(page);
        std::string text = "> ";
        EXPECT_FALSE(ring.take(text));
        guest_prints(page, "hello, world");
        EXPECT_TRUE(ring.take(text));
        EXPECT_EQ(text, "> hello, world");
        EXPECT_EQ(page.out_cons, page.out_prod);
        EXPECT_EQ(ring.room(), 1024u);
        EXPECT_EQ(ring.give("typed"), 5u);
        EXPECT_EQ(page.in[start % sizeof page.in], 't');
        EXPECT_EQ(ring.give(std::string(2000, 'x')), 1019u);
        EXPECT_EQ(ring.room(), 0u);
        EXPECT_EQ(ring.give("y"), 0u);
    }
}

TEST(ConsoleRingTest, impossible_indices_are_nothing) {
    abi::XenconsInterface page{};
    ConsoleRing ring(page);
    std::string text;
    page.out_prod = sizeof page.out + 1;
    page.in_prod = sizeof page.in + 1;
    EXPECT_FALSE(ring.take(text));
    EXPECT_EQ(ring.room(), 0u);
    EXPECT_EQ(ring.give("x"), 0u);
}

class LogFileTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/px-log-XXXXXX";
        directory = mkdtemp(name);
        setenv("TZ", "UTC", 1);
    }
    void TearDown() override { std::filesystem::remove_all(directory); }
    std::string content(const std::string& name) {
        std::ostringstream text;
        text << std::ifstream(directory + "/" + name).rdbuf();
        return text.str();
    }
    LogFile open(LogPolicy policy) { return LogFile::open(directory + "/log", policy).value(); }
    std::string directory;
};

TEST_F(LogFileTest, appends_and_goes_on_after_a_restart) {
    open({}).append("one\n", 0);
    open({}).append("two\n", 0);
    EXPECT_EQ(content("log"), "one\ntwo\n");
}

TEST_F(LogFileTest, marks_lines_not_pieces) {
    LogFile log = open({.timestamps = true});
    log.append("a", 0);
    log.append("b\nc\n", 60);
    EXPECT_EQ(content("log"), "[1970-01-01 00:00:00] ab\n[1970-01-01 00:01:00] c\n");
}

TEST_F(LogFileTest, a_flood_keeps_a_bounded_number_of_bytes) {
    LogFile log = open({.most_bytes = 1000, .keep = 2});
    for (int i = 0; i < 1000; ++i) log.append("number " + std::to_string(i) + "\n", 0);
    usize files = 0, bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
        ++files;
        bytes += file.file_size();
    }
    EXPECT_EQ(files, 3u);
    EXPECT_LE(bytes, 3000u);
    EXPECT_THAT(content("log"), testing::EndsWith("number 999\n"));
    EXPECT_THAT(content("log.2") + content("log.1") + content("log"), testing::HasSubstr("number 850\nnumber 851\n"));
}

TEST_F(LogFileTest, replaces_escapes_and_reopens) {
    LogFile log = open({.replace_escape = true});
    log.append("\x1b[2J", 0);
    EXPECT_EQ(content("log"), ".[2J");
    std::filesystem::rename(directory + "/log", directory + "/moved");
    log.reopen();
    log.append("new", 0);
    EXPECT_EQ(content("log"), "new");
}

TEST_F(LogFileTest, follows_no_link) {
    std::ofstream(directory + "/target") << "safe";
    std::filesystem::create_symlink(directory + "/target", directory + "/log");
    auto log = LogFile::open(directory + "/log", {});
    ASSERT_FALSE(log.ok());
    EXPECT_THAT(log.error().text, testing::HasSubstr("can't log to"));
    EXPECT_EQ(content("target"), "safe");
}

TEST(ThrottleTest, so_many_events_a_period) {
    Throttle throttle;
    u64 now = 5000;
    for (unsigned i = 1; i < Throttle::events_per_period; ++i) ASSERT_TRUE(throttle.count(now));
    EXPECT_FALSE(throttle.count(now + 1));
    EXPECT_EQ(throttle.resume_ms(), now + Throttle::period_ms);
    EXPECT_TRUE(throttle.count(now + Throttle::period_ms));
}

TEST(PtyTest, keeps_the_newest_output_while_nobody_reads) {
    auto pty = Pty::open(false);
    if (!pty.ok()) GTEST_SKIP() << pty.error().text;
    for (int i = 0; i < 20000; ++i) pty->write("line " + std::to_string(i) + "\n");
    EXPECT_TRUE(pty->has_output());
    call::Fd reader{open(pty->name().c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK)};
    ASSERT_TRUE(reader);
    std::string got;
    char bytes[4096];
    for (ssize_t count; (count = read(reader.get(), bytes, sizeof bytes)) > 0; pty->flush()) got.append(bytes, static_cast<usize>(count));
    EXPECT_THAT(got, testing::EndsWith("line 19999\n"));
    EXPECT_LT(got.size(), Pty::kept_bytes + 64 * 1024);
}

TEST(AttachTest, passes_both_ways_until_the_escape_key) {
    auto pty = Pty::open(false);
    if (!pty.ok()) GTEST_SKIP() << pty.error().text;
    int in[2], out[2];
    ASSERT_EQ(pipe(in), 0);
    ASSERT_EQ(pipe(out), 0);
    pty->write("login: ");
    std::thread person([&, name = pty->name()] { EXPECT_TRUE(attach(name, in[0], out[1]).ok()); });
    std::string shown;
    while (shown.size() < 7) {
        char bytes[64];
        ssize_t count = read(out[0], bytes, sizeof bytes);
        ASSERT_GT(count, 0);
        shown.append(bytes, static_cast<usize>(count));
    }
    EXPECT_EQ(shown, "login: ");
    std::string typed = std::string("root\r") + escape_key + "not this";
    ASSERT_EQ(write(in[1], typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
    person.join();
    EXPECT_EQ(pty->read(100), "root\r");
    for (int fd : {in[0], in[1], out[0], out[1]}) close(fd);
}

}  // namespace
}  // namespace px::console
