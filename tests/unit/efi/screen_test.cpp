// The firmware's screen modes as framebuffers.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/screen.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/efi/fake_firmware.hpp"

namespace px::efi {
namespace {

Framebuffer noted(const GraphicsMode& mode) {
    FakeFirmware fake;
    fake.set_modes({mode});
    auto out = std::make_unique<boot::EfiHandover>();
    note_screen(fake.firmware(), *out);
    return out->screen;
}

TEST(EfiScreen, EachFormatIsALayoutOfColours) {
    EXPECT_EQ(noted({0, 800, 600, PixelFormat::rgb, 0, 0, 0, 0, 832}), (Framebuffer{.address = 0x8000'0000,
                                                                                    .width = 800,
                                                                                    .height = 600,
                                                                                    .pitch = 3328,
                                                                                    .bits = 32,
                                                                                    .red = {0, 8},
                                                                                    .green = {8, 8},
                                                                                    .blue = {16, 8}}));
    EXPECT_EQ(noted({0, 800, 600, PixelFormat::bgr, 0, 0, 0, 0, 800}), (Framebuffer{.address = 0x8000'0000,
                                                                                    .width = 800,
                                                                                    .height = 600,
                                                                                    .pitch = 3200,
                                                                                    .bits = 32,
                                                                                    .red = {16, 8},
                                                                                    .green = {8, 8},
                                                                                    .blue = {0, 8}}));
    EXPECT_EQ(noted({0, 800, 600, PixelFormat::masks, 0xf800, 0x07e0, 0x001f, 0, 800}), (Framebuffer{.address = 0x8000'0000,
                                                                                                     .width = 800,
                                                                                                     .height = 600,
                                                                                                     .pitch = 1600,
                                                                                                     .bits = 16,
                                                                                                     .red = {11, 5},
                                                                                                     .green = {5, 6},
                                                                                                     .blue = {0, 5}}));
}

TEST(EfiScreen, PixelsThatCantBeReachedAreNoScreen) {
    EXPECT_EQ(noted({0, 800, 600, PixelFormat::blt_only, 0, 0, 0, 0, 800}).address, 0u);
    EXPECT_EQ(noted({0, 800, 600, PixelFormat::masks, 0, 0, 0, 0, 800}).address, 0u);
    EXPECT_EQ(noted({0, 800, 600, static_cast<PixelFormat>(77), 0, 0, 0, 0, 800}).address, 0u);
}

TEST(EfiScreen, VideoIsAModeInTheReferencesForm) {
    EXPECT_EQ(parse_video("gfx-1024x768x32"), (VideoMode{1024, 768, 32}));
    EXPECT_EQ(parse_video("gfx-1024x768"), (VideoMode{1024, 768, 0}));
    EXPECT_EQ(parse_video("gfx-1024"), (VideoMode{1024, 0, 0}));
    for (const char* const bad :
         {"", "gfx-", "gfx-x", "1024x768", "gfx-1024x", "gfx-1024x768x32x1", "gfx-0x0", "gfx-1024,768", "gfx-70000x1", "vga"}) {
        EXPECT_FALSE(parse_video(bad)) << bad;
    }
}

}  // namespace
}  // namespace px::efi
