// What XENVER_* tells: texts that are fixed at build or at boot.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace px {

/// What XENVER_commandline shows to the hardware domain; cut at 1023 bytes. Once, at boot.
void set_command_line_text(std::string_view text);

}  // namespace px
