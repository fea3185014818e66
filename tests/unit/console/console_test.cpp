// The log: its ring, its levels, its devices.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/console/console.hpp"

#include <string>

#include "hypervisor/console/rate_limit.hpp"
#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

constexpr usize ring_size = 65536;

/// Added for the life of the process; remembers what it showed.
struct Screen final : ConsoleDevice {
    void write(std::string_view text) override { shown += text; }
    bool read(char& c) override {
        if (typed.empty()) return false;
        c = typed.front();
        typed.erase(0, 1);
        return true;
    }
    std::string shown, typed;
};
Screen& screen() {
    static Screen* const device = [] {
        console_write("before any device\n");
        auto* const made = new Screen;
        console_add_device(*made);
        return made;
    }();
    return *device;
}

class ConsoleTest : public World {
protected:
    ConsoleTest() {
        screen().shown.clear();
        console_set_levels({LogLevel::info, LogLevel::info}, {LogLevel::error, LogLevel::warning});
        console_set_timestamps(false);
    }
    static std::string take_shown() { return std::exchange(screen().shown, {}); }
    static std::string ring(u64 from = 0, usize room = 2 * ring_size) {
        std::string text(room, '\0');
        text.resize(console_ring_read(&from, text));
        return text;
    }
};

TEST(ConsoleDevices, ALateOneShowsTheRing) { EXPECT_NE(screen().shown.find("before any device\n"), std::string::npos); }

TEST_F(ConsoleTest, LinesGoToRingAndDevices) {
    const u64 from = console_ring_head();
    log_info("frame {:#x} of d{}", 0x1234u, 7u);
    EXPECT_EQ(take_shown(), "(PX) frame 0x1234 of d7\n");
    EXPECT_EQ(ring(from), "(PX) frame 0x1234 of d7\n");
    console_write_owner("dom0's own");
    EXPECT_EQ(take_shown(), "dom0's own");
    EXPECT_EQ(ring(from), "(PX) frame 0x1234 of d7\n");
    log_info("ours");
    console_write_owner("and more\n");
    log_info("ours");
    EXPECT_EQ(take_shown(), "\n(PX) ours\nand more\n(PX) ours\n");
    EXPECT_EQ(ring(from), "(PX) frame 0x1234 of d7\n(PX) ours\n(PX) ours\n");
}
TEST_F(ConsoleTest, OwnersTextInTheRingIsNoPartOfOurLines) {
    const u64 from = console_ring_head();
    console_keep_owner_text(true);
    console_write_owner("dom0's own");
    console_keep_owner_text(false);
    log_info("ours");
    EXPECT_EQ(ring(from), "dom0's own\n(PX) ours\n");
}
TEST_F(ConsoleTest, LinesSayHowBadItIs) {
    log_error("e");
    log_warning("w");
    guest_log(LogLevel::error, "g");
    EXPECT_EQ(take_shown(), "(PX) error: e\n(PX) warning: w\n(PX) guest: error: g\n");
}
TEST_F(ConsoleTest, LongLinesAreCut) {
    log_info("{}", std::string(1000, 'x'));
    const std::string line = take_shown();
    EXPECT_EQ(line.size(), 256u);
    EXPECT_EQ(line.back(), '\n');
}
TEST_F(ConsoleTest, TimestampsAreSecondsAndMicroseconds) {
    console_set_timestamps(true);
    arch::host_set_now(Nanoseconds{12'003'004'999});
    log_info("now");
    EXPECT_EQ(take_shown(), "[   12.003004] (PX) now\n");
}

TEST_F(ConsoleTest, EachLevelHasItsThreshold) {
    for (const bool guest : {false, true}) {
        for (i8 threshold = -1; threshold <= 3; ++threshold) {
            const LogThresholds chosen{LogLevel{threshold}, LogLevel{threshold}}, none{LogLevel::none, LogLevel::none};
            console_set_levels(guest ? none : chosen, guest ? chosen : none);
            for (i8 level = 0; level <= 3; ++level) {
                detail::log(LogLevel{level}, guest, "line");
                EXPECT_EQ(!take_shown().empty(), level <= threshold) << int{level} << " of " << int{threshold};
            }
        }
    }
}
TEST_F(ConsoleTest, BetweenTheThresholdsTheRateIsLimited) {
    console_set_levels({LogLevel::info, LogLevel::info}, {LogLevel::error, LogLevel::debug});
    arch::host_set_now(Nanoseconds{i64{1} << 50});
    for (unsigned i = 0; i < 10000; ++i) guest_log(LogLevel::debug, "hostile");
    const std::string shown = take_shown();
    EXPECT_EQ(static_cast<u64>(std::ranges::count(shown, '\n')), RateLimit::burst);
    guest_log(LogLevel::error, "serious");
    EXPECT_NE(take_shown(), "") << "what always prints isn't held back";
}

TEST_F(ConsoleTest, TheRingKeepsTheNewest) {
    std::string written;
    for (unsigned i = 0; written.size() < 3 * ring_size; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        console_write(line);
        written += line;
    }
    EXPECT_EQ(ring(), written.substr(written.size() - ring_size));
    // In pieces, as a toolstack reads.
    std::string pieces;
    u64 index = 0;
    for (;;) {
        char piece[1000];
        const usize count = console_ring_read(&index, piece);
        if (count == 0) break;
        pieces.append(piece, count);
    }
    EXPECT_EQ(pieces, written.substr(written.size() - ring_size));
    EXPECT_EQ(index, console_ring_head());
}
TEST_F(ConsoleTest, AnyIndexIsBroughtIntoRange) {
    u64 index = ~u64{0};
    char piece[16];
    EXPECT_EQ(console_ring_read(&index, piece), 0u);
    EXPECT_EQ(index, console_ring_head());
}
TEST_F(ConsoleTest, AClearedRingBeginsAnew) {
    console_write("old\n");
    console_ring_clear();
    EXPECT_EQ(ring(), "");
    console_write("new\n");
    EXPECT_EQ(ring(), "new\n");
}

TEST_F(ConsoleTest, TypedCharactersCross) {
    screen().typed = std::string(100, 'k');  // more than one poll takes
    console_poll_input();
    console_poll_input();
    std::string text(200, '\0');
    text.resize(console_read(text));
    EXPECT_EQ(text, std::string(100, 'k'));
}

}  // namespace
}  // namespace px
