// The console of a domain, for the runtime itself; kernels use print.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace px::guest {

/// Finds the console; text before this goes to the hypervisor's console, which refuses it outside dom0.
void init_console();

/// Waits until the other end has read everything, so that a verdict is not lost with the domain.
void drain_console();

}  // namespace px::guest
