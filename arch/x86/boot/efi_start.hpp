// The EFI ways in: from the firmware's address space to ours.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/entry/efi.hpp"

namespace px::arch {

/// Filled before boot_start() runs where EFI started this machine; else its system table is 0.
extern boot::EfiHandover efi_handover;

}  // namespace px::arch
