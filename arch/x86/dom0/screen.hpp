// The screen that a PV hardware domain inherits.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hypervisor/abi/start_info.hpp"

namespace px::dom0 {

/// Text mode 3 as the BIOS left it; nothing where there is no BIOS or another mode.
std::optional<abi::Dom0VgaConsoleInfo> inherited_screen();

}  // namespace px::dom0
