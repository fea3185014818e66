// xen.cfg: its grammar, and the names under which it is looked for.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/config.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace px::efi {
namespace {

std::string value(std::string_view text, std::string_view section, std::string_view key) {
    const auto config = Config::parse(text);
    if (!config.ok()) return "(bad)";
    return std::string(config->value(section, key).value_or("(none)"));
}

TEST(XenCfg, SectionsKeysAndComments) {
    constexpr std::string_view text =
        "default=outside\n"
        "# a comment with [section] and key=value\n"
        "[global]\n"
        "  default = debian   # said here\n"
        "; kernel=commented\n"
        "[debian]\n"
        "options=console=com1 ; not a comment here\n"
        "kernel=vmlinuz root=/dev/sda1 ro # quiet\n"
        "kernel=second\n"
        "ramdisk=\n"
        "[rescue]\n"
        "kernel=old";
    EXPECT_EQ(value(text, "global", "default"), "debian");
    EXPECT_EQ(value(text, "global", "kernel"), "(none)");
    EXPECT_EQ(value(text, "debian", "options"), "console=com1 ; not a comment here");
    EXPECT_EQ(value(text, "debian", "kernel"), "vmlinuz root=/dev/sda1 ro");
    EXPECT_EQ(value(text, "debian", "ramdisk"), "");
    EXPECT_EQ(value(text, "rescue", "kernel"), "old") << "the last line needs no end";
    EXPECT_EQ(value(text, "nowhere", "kernel"), "(none)");
    EXPECT_EQ(value(text, "", "default"), "outside") << "the first of the whole file";
    EXPECT_EQ(value(text, "", "kernel"), "vmlinuz root=/dev/sda1 ro");
    EXPECT_TRUE(Config::parse(text)->has_section("rescue"));
    EXPECT_FALSE(Config::parse(text)->has_section("section"));
}

TEST(XenCfg, LineEndsOfDos) {
    EXPECT_EQ(value("[global]\r\ndefault=a\r\n\r\n[a]\r\nkernel=k\r\n", "a", "kernel"), "k");
    EXPECT_EQ(value("[global]\rdefault=a\r", "global", "default"), "a");
    EXPECT_EQ(value("", "global", "default"), "(none)");
    EXPECT_EQ(value("[", "", "x"), "(none)");
    EXPECT_EQ(Config::parse("[global]\nucode=a\nvideo=b\n[x]\nucode=c")->value_or_global("x", "ucode"), "c");
    EXPECT_EQ(Config::parse("[global]\nucode=a\nvideo=b\n[x]\nucode=c")->value_or_global("x", "video"), "b");
    EXPECT_EQ(value("[]\nx=y", "", "x"), "y");
}

TEST(XenCfg, WhatIsNotAsciiIsRefused) {
    const std::string wide("\xff\xfe[\0g\0", 6);
    EXPECT_EQ(Config::parse(wide).error().byte, 0xff);
    const std::string nul("a\nb\0", 4);
    EXPECT_EQ(Config::parse(nul).error().byte, 0);
    EXPECT_EQ(Config::parse(nul).error().line, 2u);
    EXPECT_FALSE(Config::parse("[global]\ndefault=gr\xc3\xbcn\n").ok());
    EXPECT_FALSE(Config::parse("\x7f").ok());
    EXPECT_TRUE(Config::parse("\t[a]\r\n").ok());
}

TEST(XenCfg, SurvivesAnything) {
    std::mt19937 random(4);
    const std::string alphabet = "[]=#; \tab\r\n";
    for (unsigned round = 0; round < 20000; ++round) {
        std::string text(random() % 40, ' ');
        for (char& c : text) c = alphabet[random() % alphabet.size()];
        const auto config = Config::parse(text);
        ASSERT_TRUE(config.ok());
        for (const auto section : {"", "a", "b"}) {
            const auto found = config->value(section, "a");
            if (!found) continue;
            ASSERT_NE(text.find(*found), std::string::npos);
            ASSERT_TRUE(std::string_view(section).empty() || config->has_section(section));
        }
    }
}

std::vector<std::string> names_of(std::string_view image) {
    std::vector<std::string> found;
    ConfigNames names(image);
    while (const auto name = names.next()) found.emplace_back(*name);
    return found;
}

TEST(XenCfgName, FollowsTheImages) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(names_of("xen-4.17-amd64.efi"), (Names{"xen-4.17-amd64.cfg", "xen-4.17.cfg", "xen-4.cfg", "xen.cfg"}));
    EXPECT_EQ(names_of("xen.efi"), (Names{"xen.cfg"}));
    EXPECT_EQ(names_of("BOOTX64.EFI"), (Names{"BOOTX64.cfg", "xen.cfg"}));
    EXPECT_EQ(names_of("my_own-xen.efi"), (Names{"my_own-xen.cfg", "my_own.cfg", "my.cfg", "xen.cfg"}));
    EXPECT_EQ(names_of("xen"), (Names{"xen.cfg"}));
    EXPECT_EQ(names_of(""), (Names{"xen.cfg"}));
    EXPECT_EQ(names_of("..--__.efi"), (Names{"..--__.cfg", "xen.cfg"}));
    EXPECT_EQ(names_of(std::string(500, 'x') + ".efi"), (Names{std::string(128, 'x') + ".cfg", "xen.cfg"}));
}

}  // namespace
}  // namespace px::efi
