// An initrd's first part: archives, padding, and what is broken.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/cpio.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>

namespace px::loader {
namespace {

constexpr std::string_view wanted = "kernel/x86/microcode/AuthenticAMD.bin";

std::string entry(const std::string& name, const std::string& content, const char* magic = "070701") {
    char header[128];
    std::snprintf(header, sizeof header, "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic, 1, 0100644, 0, 0, 1, 0,
                  static_cast<unsigned>(content.size()), 0, 0, 0, 0, static_cast<unsigned>(name.size() + 1), 0);
    std::string text = header + name + '\0';
    text.resize((text.size() + 3) / 4 * 4);
    text += content;
    text.resize((text.size() + 3) / 4 * 4);
    return text;
}
std::string trailer() { return entry("TRAILER!!!", ""); }

/// What was found, "-": nothing. On a copy of exactly its size.
std::string find(const std::string& initrd) {
    const std::unique_ptr<u8[]> copy(new u8[initrd.size()]);
    std::copy(initrd.begin(), initrd.end(), copy.get());
    const auto found = find_in_cpio({copy.get(), initrd.size()}, wanted);
    return found ? std::string(found->begin(), found->end()) : "-";
}

TEST(Cpio, FindsAFile) {
    const std::string file(wanted);
    EXPECT_EQ(find(entry("kernel", "") + entry(file, "microcode") + trailer() + "\x1f\x8b compressed"), "microcode");
    EXPECT_EQ(find(entry("./" + file, "with a dot", "070702")), "with a dot");
    EXPECT_EQ(find(entry(file, "")), "");
    EXPECT_EQ(find(entry("other", "abc") + trailer() + std::string(512, '\0') + entry(file, "in the second archive")),
              "in the second archive");
    EXPECT_EQ(find(entry(file, "first") + entry(file, "second")), "first");
}

TEST(Cpio, FindsNothing) {
    const std::string file(wanted);
    EXPECT_EQ(find(""), "-");
    EXPECT_EQ(find(std::string(4096, '\0')), "-");
    EXPECT_EQ(find(std::string("\x1f\x8b\x08") + std::string(500, 'x') + entry(file, "behind compressed data")), "-");
    EXPECT_EQ(find(entry(file + "x", "no") + entry("x/" + file, "no") + trailer()), "-");
}

TEST(Cpio, BrokenEntries) {
    const std::string good = entry("a", "b") + entry(std::string(wanted), "content");
    ASSERT_EQ(find(good), "content");
    for (usize size = 0; size + 1 < good.size(); ++size) EXPECT_EQ(find(good.substr(0, size)), "-") << size;
    const auto with = [&](usize at, const std::string& text) {
        std::string bad = good;
        bad.replace(at, text.size(), text);
        return find(bad);
    };
    EXPECT_EQ(with(54, "ffffffff"), "-");  // the file's size
    EXPECT_EQ(with(94, "ffffffff"), "-");  // the name's
    EXPECT_EQ(with(94, "00000000"), "-");
    EXPECT_EQ(with(54, "0000000g"), "-");
    EXPECT_EQ(with(0, "070707"), "-");
}

TEST(Cpio, SurvivesAnyChange) {
    const std::string good =
        entry("a", std::string(100, 'b')) + trailer() + std::string(64, '\0') + entry(std::string(wanted), "content") + trailer();
    std::mt19937 random(7);
    for (unsigned round = 0; round < 20000; ++round) {
        std::string bad = good;
        for (unsigned changes = 1 + random() % 4; changes > 0; --changes) bad[random() % bad.size()] = "0f7\0 \xff"[random() % 6];
        if (random() % 8 == 0) bad.resize(random() % bad.size());
        (void)find(bad);
    }
}

}  // namespace
}  // namespace px::loader
