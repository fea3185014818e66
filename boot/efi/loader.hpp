// xen.efi as a program of the firmware: reads its configuration, loads dom0's files, and hands over.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/efi/firmware.hpp"
#include "boot/entry/efi.hpp"

namespace px::efi {

/// Started by the firmware, a shell or a boot loader: everything but the memory map. False: the user asked only for help.
/// Errors are said on the firmware's console, with what was looked for and where.
Result<bool> load(const Firmware& firmware, boot::EfiHandover& out);

/// The memory map, and with it the end of boot services: after success nothing of the firmware may be called.
/// Errors are said.
Result<> take_over(const Firmware& firmware, boot::EfiHandover& out);

}  // namespace px::efi
