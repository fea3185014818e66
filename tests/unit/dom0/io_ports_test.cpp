// Which ports exit.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/io_ports.hpp"

#include <gtest/gtest.h>

namespace px::dom0 {
namespace {

bool exits(const PortBitmap& bitmap, u32 port) { return (bitmap[port / 8] >> (port % 8) & 1) != 0; }

TEST(PortBitmap, KeepsLegacyDevicesAndTheConsoleFromDom0) {
    PortBitmap bitmap;
    bitmap.fill(0xff);
    const PortRange console[] = {{0x3f8, 8}};
    fill_port_bitmap(console, bitmap);
    for (const u32 port : {0x20u, 0x21u, 0xa0u, 0xa1u, 0x40u, 0x43u, 0x61u, 0xcf8u, 0xcfcu, 0xcffu, 0x3f8u, 0x3ffu}) {
        EXPECT_TRUE(exits(bitmap, port)) << std::hex << port;
    }
}

TEST(PortBitmap, LeavesResetPowerAndDevicesToDom0) {
    PortBitmap bitmap;
    fill_port_bitmap({}, bitmap);
    for (const u32 port : {0x60u, 0x64u, 0x70u, 0x3f8u, 0x604u, 0xcf9u, 0xc000u, 0xffffu}) {
        EXPECT_FALSE(exits(bitmap, port)) << std::hex << port;
    }
}

TEST(PortBitmap, ARangeAtTheEndStaysInside) {
    PortBitmap bitmap;
    const PortRange last[] = {{0xfffc, 8}};
    fill_port_bitmap(last, bitmap);
    EXPECT_TRUE(exits(bitmap, 0xffff));
    EXPECT_FALSE(exits(bitmap, 0));
}

}  // namespace
}  // namespace px::dom0
