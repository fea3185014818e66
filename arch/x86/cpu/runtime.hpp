// The constructors of globals.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace px::arch {

/// First thing at boot. Globals are constant-initialised by rule; what runs here only notes destructors.
void run_constructors();

}  // namespace px::arch
