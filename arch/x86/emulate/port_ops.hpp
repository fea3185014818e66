// Permission to use I/O ports.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/emulate/execution.hpp"

namespace px::emulate {

/// IOPL, and where it doesn't suffice the TSS's permission bitmap: #GP(0) if the ports [port, port + size)
/// are denied.
Step<> check_port(Execution& x, u16 port, unsigned size);

}  // namespace px::emulate
