// Channels of guests: byte streams that end at a terminal of dom0, by xenconsoled.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/devices.hpp"
#include "toolstack/device/device.hpp"

namespace px::device {

call::Outcome<> check_supported(const xlcfg::Channel& channel);
/// `number` counts from 1: console 0 is the guest's first console.
call::Outcome<NewDevice> new_channel(const xlcfg::Channel& channel, DomId guest, u32 number);

}  // namespace px::device
