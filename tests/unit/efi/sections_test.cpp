// Sections of a PE image in memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/sections.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/efi/pe_image.hpp"

namespace px::efi {
namespace {

TEST(PeSections, AreFoundByName) {
    PeImage image;
    image.section(".config", "default");
    image.section(".ramdisk", "eight letters");
    const auto bytes = image.bytes();
    EXPECT_EQ(image_section(bytes, ".config").size(), 7u);
    EXPECT_EQ(image_section(bytes, ".ramdisk")[0], 'e');
    EXPECT_TRUE(image_section(bytes, ".kernel").empty());
    EXPECT_TRUE(image_section(bytes, ".conf").empty());
    EXPECT_TRUE(image_section(bytes, ".ramdiskette").empty());
}

TEST(PeSections, OutsideOfTheImageAreNone) {
    PeImage image;
    image.section(".config", "default");
    for (const usize field : {8u, 12u, 16u}) {
        auto bytes = image.bytes();
        const u32 absurd = 0xfffffff0;
        std::memcpy(bytes.data() + PeImage::first_section + field, &absurd, 4);
        const auto found = image_section(bytes, ".config");
        EXPECT_LE(found.size(), 7u);
    }
    auto bytes = image.bytes();
    for (usize length = 0; length < bytes.size(); ++length) {
        std::vector<u8> cut(bytes.begin(), bytes.begin() + static_cast<long>(length));
        EXPECT_TRUE(image_section(cut, ".config").empty());
    }
    std::mt19937 random(3);
    for (unsigned round = 0; round < 20000; ++round) {
        auto damaged = bytes;
        for (unsigned i = 0; i < 4; ++i) damaged[random() % 400] = static_cast<u8>(random());
        for (const u8 byte : image_section(damaged, ".config")) (void)byte;
    }
}

}  // namespace
}  // namespace px::efi
