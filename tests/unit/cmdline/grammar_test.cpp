// The grammar of the command line: words, quotes, prefixes, diagnostics.
//
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "hypervisor/cmdline/values.hpp"
#include "tests/unit/cmdline/parsed.hpp"

namespace px::cmdline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Grammar, EmptyLineIsTheDefaults) {
    for (const char* line : {"", "   ", "\t\n "}) {
        const Parsed parsed{line};
        EXPECT_TRUE(parsed.clean());
        EXPECT_EQ(parsed.gnttab_max_frames, 64u);
        EXPECT_EQ(parsed.sched, "credit2");
    }
}

TEST(Grammar, UsersLines) {
    const Parsed parsed{
        "console=com1,vga com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=1024M dom0_max_vcpus=4 "
        "dom0_vcpus_pin dom0=pvh,verbose console_to_ring noreboot=true"};
    EXPECT_THAT(parsed.problems, ElementsAre());
    EXPECT_EQ(parsed.console.count, 2);
    EXPECT_EQ(parsed.console.devices[0], ConsoleDevice::com1);
    EXPECT_EQ(parsed.com1, "115200,8n1");
    EXPECT_EQ(parsed.loglvl, (LogFilter{Verbosity::debug, Verbosity::debug}));
    EXPECT_EQ(parsed.dom0_mem.initial, (MemoryAmount{.bytes = u64{1} << 30}));
    EXPECT_EQ(parsed.dom0_max_vcpus, (VcpuRange{4, 4}));
    EXPECT_TRUE(parsed.dom0_vcpus_pin);
    EXPECT_TRUE(parsed.dom0.verbose);
    EXPECT_TRUE(parsed.console_to_ring);
    EXPECT_TRUE(parsed.noreboot);
}

TEST(Grammar, Booleans) {
    for (const char* line : {"console_to_ring", "console_to_ring=yes", "console_to_ring=on", "console_to_ring=true",
                             "console_to_ring=enable", "console_to_ring=1", "console-to-ring"}) {
        EXPECT_TRUE(Parsed{line}.console_to_ring) << line;
    }
    for (const char* line : {"x2apic=no", "x2apic=off", "x2apic=false", "x2apic=disable", "x2apic=0", "no-x2apic", "nox2apic"}) {
        const Parsed parsed{line};
        EXPECT_FALSE(parsed.x2apic) << line;
        EXPECT_TRUE(parsed.clean()) << line;
    }
    EXPECT_THAT(Parsed{"x2apic=maybe"}.problems, ElementsAre("x2apic=maybe: is neither on nor off"));
    EXPECT_THAT(Parsed{"no-x2apic=1"}.problems, ElementsAre("no-x2apic=1: has both 'no-' and a value"));
}

TEST(Grammar, NamesThatStartWithNoAreTheirOwn) {
    const Parsed parsed{"noreboot nosmp no-noreboot"};
    EXPECT_FALSE(parsed.noreboot);
    EXPECT_TRUE(parsed.nosmp);
    EXPECT_TRUE(parsed.clean());
}

TEST(Grammar, TheLastOneWins) {
    const Parsed parsed{"maxcpus=4 x2apic=off maxcpus=8 x2apic"};
    EXPECT_EQ(parsed.maxcpus, 8u);
    EXPECT_TRUE(parsed.x2apic);
    EXPECT_EQ(Parsed{"maxcpus=4 maxcpus=junk"}.maxcpus, 4u);  // a refused one doesn't count
}

TEST(Grammar, Quotes) {
    EXPECT_EQ(Parsed{R"(com1="115200, 8n1" nosmp)"}.com1, "115200, 8n1");
    const Parsed parsed{R"("com1=9600, 8n1" "nosmp" com2="x"y")"};
    EXPECT_EQ(parsed.com1, "9600, 8n1");
    EXPECT_TRUE(parsed.nosmp);
    EXPECT_EQ(parsed.com2, R"(x"y)");
    EXPECT_TRUE(parsed.clean());
    const Parsed open{R"(com1="9600 nosmp)"};
    EXPECT_THAT(open.problems, ElementsAre(R"(com1="9600: has a quote that is never closed)"));
    EXPECT_EQ(open.com1, "");
    EXPECT_TRUE(open.nosmp);
    EXPECT_THAT(Parsed{R"(")"}.problems, ElementsAre(R"(": has a quote that is never closed)"));
}

TEST(Grammar, DoubleDashEndsOurOptions) {
    const Parsed parsed{"nosmp --   root=/dev/sda1 maxcpus=2 -- ro"};
    EXPECT_TRUE(parsed.nosmp);
    EXPECT_EQ(parsed.maxcpus, 0u);
    EXPECT_EQ(parsed.dom0_extra, "root=/dev/sda1 maxcpus=2 -- ro");
    EXPECT_TRUE(parsed.clean());
    EXPECT_EQ(Parsed{"nosmp --"}.dom0_extra, "");
}

TEST(Grammar, ProblemsNameTheOptionAndDoNotStopTheRest) {
    const Parsed parsed{"bogus=1 maxcpus=0x10 com1 =x no-maxcpus maxcpus= no- = nosmp"};
    EXPECT_THAT(parsed.problems,
                ElementsAre("bogus=1: is not an option", "com1: needs a value", "=x: is not an option", "no-maxcpus: can't be negated",
                            "maxcpus=: has an empty value", "no-: is not an option", "=: is not an option"));
    EXPECT_EQ(parsed.maxcpus, 16u);
    EXPECT_TRUE(parsed.nosmp);
}

TEST(Grammar, NamesAreCaseSensitive) {
    EXPECT_THAT(Parsed{"NOSMP Com1=9600"}.problems, ElementsAre("NOSMP: is not an option", "Com1=9600: is not an option"));
}

TEST(Grammar, AcceptedOptionsSayThatTheyDoNothing) {
    const Parsed parsed{"no-real-mode edd=off cpuidle no-cpufreq watchdog=force xpti hap=off iommu=force,verbose sync_console"};
    EXPECT_THAT(parsed.problems, ElementsAre());
    EXPECT_EQ(parsed.notes.size(), 9u);
    for (const auto& note : parsed.notes) EXPECT_THAT(note, HasSubstr("has no effect: "));
}

TEST(Grammar, Sizes) {
    EXPECT_EQ(parse_size("16"), 16u << 10);
    EXPECT_EQ(parse_size("16b"), 16u);
    EXPECT_EQ(parse_size("0x10K"), 16u << 10);
    EXPECT_EQ(parse_size("010m"), 8u << 20);
    EXPECT_EQ(parse_size("3G"), u64{3} << 30);
    EXPECT_EQ(parse_size("2t"), u64{2} << 40);
    for (const char* text : {"", "k", "1kk", "1 k", "-1", "16777216T", "99999999999999999999", "1x"}) {
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_size("16777215T"), u64{16777215} << 40);
}

TEST(Grammar, Numbers) {
    EXPECT_EQ(parse_unsigned("18446744073709551615"), ~u64{0});
    EXPECT_EQ(parse_unsigned("18446744073709551616"), std::nullopt);
    EXPECT_EQ(parse_unsigned("0xffffffffffffffff"), ~u64{0});
    EXPECT_EQ(parse_unsigned("0x10000000000000000"), std::nullopt);
    EXPECT_EQ(parse_unsigned("0"), 0u);
    EXPECT_EQ(parse_unsigned("017"), 15u);
    EXPECT_EQ(parse_unsigned("256", 255), std::nullopt);
    for (const char* text : {"", "0x", "08", "1a", "+1", " 1", "0xg"}) EXPECT_EQ(parse_unsigned(text), std::nullopt) << text;
}

/// Anything at all is parsed to its end, every text stays inside the line, and each bad word is reported.
TEST(Grammar, RandomLines) {
    static constexpr std::string_view pieces[] = {
        "dom0_mem", "com1", "console", "iommu",   "no-",  "no",     "=",    ",", ":",  "\"", " ",
        "  ",       "--",   "-",       "_",       "min:", "max:",   "%",    "+", "1",  "0x", "99999999999999999999",
        "G",        "com2", "pvh",     "verbose", "on",   "bounce", "com2", "=", "\t", "/",  "all",
        "\xff",     "\n"};
    std::mt19937 random{1};
    unsigned reported = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (unsigned i = random() % 14; i != 0; --i) text += pieces[random() % std::size(pieces)];
        const std::vector<char> line(text.begin(), text.end());  // exact size, no NUL behind: ASan watches
        const std::string_view view{line.data(), line.size()};
        const Parsed parsed{view};
        reported += !parsed.problems.empty();
        for (const std::string_view member : {parsed.com1, parsed.com2, parsed.dom0_extra}) {
            if (member.empty()) continue;
            EXPECT_GE(member.data(), view.data());
            EXPECT_LE(member.data() + member.size(), view.data() + view.size());
        }
    }
    EXPECT_GT(reported, 5000u);
}

}  // namespace
}  // namespace px::cmdline
