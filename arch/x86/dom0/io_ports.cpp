// Which I/O ports the hardware domain uses directly.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/io_ports.hpp"

namespace px::dom0 {
namespace {

constexpr PortRange kept[] = {
    {0x20, 2},  {0xa0, 2},  {0x4d0, 2},  // PICs and their trigger modes
    {0x40, 4},  {0x61, 1},               // PIT
    {0xcf8, 1}, {0xcfc, 4},              // PCI configuration
};

void trap(PortBitmap& bitmap, const PortRange& range) {
    for (u32 port = range.first; port < range.first + range.count && port < 0x10000; ++port) {
        bitmap[port / 8] = static_cast<u8>(bitmap[port / 8] | 1u << (port % 8));
    }
}

}  // namespace

void fill_port_bitmap(std::span<const PortRange> denied, PortBitmap& bitmap) {
    bitmap.fill(0);
    for (const PortRange& range : kept) trap(bitmap, range);
    for (const PortRange& range : denied) trap(bitmap, range);
}

}  // namespace px::dom0
