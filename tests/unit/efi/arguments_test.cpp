// Arguments of xen.efi, as shells and boot entries give them.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/arguments.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace px::efi {
namespace {

TEST(EfiArguments, WithAndWithoutTheImagesName) {
    for (const std::string first : {"", "xen.efi ", "XEN.EFI ", "xen ", "fs0:\\efi\\xen.efi ", "/boot/xen.efi ", "  other.efi  "}) {
        const std::string line = first + "-cfg=rescue.cfg  -mapbs rescue -basevideo -- console=com1 -cfg=x";
        const auto parsed = parse_arguments(line, "xen.efi");
        ASSERT_TRUE(parsed.ok()) << first << parsed.error();
        EXPECT_EQ(parsed->config, "rescue.cfg");
        EXPECT_EQ(parsed->section, "rescue") << first;
        EXPECT_EQ(parsed->hypervisor, "console=com1 -cfg=x");
        EXPECT_TRUE(parsed->map_boot_services && parsed->base_video);
        EXPECT_FALSE(parsed->help);
    }
}

TEST(EfiArguments, WhatIsNotUnderstoodIsNamed) {
    EXPECT_EQ(parse_arguments("-cgf=x", "xen.efi").error(), "-cgf=x");
    EXPECT_EQ(parse_arguments("-cfg=", "xen.efi").error(), "-cfg=");
    EXPECT_EQ(parse_arguments("one two", "xen.efi").error(), "two");
    EXPECT_TRUE(parse_arguments("-?", "xen.efi")->help);
    EXPECT_TRUE(parse_arguments("", "xen.efi").ok());
    EXPECT_TRUE(parse_arguments("   ", "xen.efi").ok());
    EXPECT_EQ(parse_arguments("--", "xen.efi")->hypervisor, "");
    EXPECT_EQ(parse_arguments("a xen.efi", "xen.efi").error(), "xen.efi") << "only the first word may be the image";
}

std::string text_of(const std::vector<u8>& bytes, usize room = 64) {
    std::vector<char> out(room);
    return std::string(options_text(bytes, out));
}

TEST(EfiArguments, TextInEitherWidthAndNothingElse) {
    EXPECT_EQ(text_of({'a', 0, ' ', 0, 'b', 0, 0, 0}), "a b");
    EXPECT_EQ(text_of({'a', 0, 'b', 0}), "ab") << "no NUL at its end";
    EXPECT_EQ(text_of({'a', 'b', 0, 'c'}), "ab") << "efibootmgr's ASCII";
    EXPECT_EQ(text_of({'a', 0, 'b', 1}), "") << "a character that isn't ASCII";
    EXPECT_EQ(text_of({0x1b, 2, 3, 4}), "") << "data of the firmware's";
    EXPECT_EQ(text_of({}), "");
    EXPECT_EQ(text_of({'a'}), "a");
    EXPECT_EQ(text_of({'a', 'b', 'c'}, 2), "") << "longer than there is room";
}

TEST(EfiArguments, WhatSystemdBootPutsBeforeAnEntrysOptions) {
    for (const std::string name : {"", "xen.efi "}) {
        const auto line = "initrd=\\xen\\one.img initrd=\\xen\\initrd.img " + name + "debian -- noreboot initrd=x";
        const auto parsed = parse_arguments(line, "xen.efi");
        ASSERT_TRUE(parsed.ok()) << parsed.error();
        EXPECT_EQ(parsed->section, "debian");
        EXPECT_EQ(parsed->hypervisor, "noreboot initrd=x");
    }
}

}  // namespace
}  // namespace px::efi
