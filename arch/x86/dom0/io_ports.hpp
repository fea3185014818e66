// Which I/O ports the hardware domain uses directly.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "hypervisor/base/types.hpp"

namespace px::dom0 {

struct PortRange {
    u16 first;
    u32 count;
};

/// Bit set: the access exits. [amd/apm2 15.10.1] [intel/sdm3 25.6.4]
using PortBitmap = std::array<u8, 2 * 4096>;

/// Lets everything through but `denied` and the ports of the devices that the hypervisor keeps: PICs and PIT (absent to
/// dom0), port 0x61 (the PIT's gate), PCI configuration. Of 0xcf8 only the first port is trapped: a doubleword access touches
/// it, while a byte at 0xcf9 is the reset register, which is dom0's.
void fill_port_bitmap(std::span<const PortRange> denied, PortBitmap& bitmap);

}  // namespace px::dom0
