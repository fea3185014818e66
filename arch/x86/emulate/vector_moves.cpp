// Vector moves.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/handlers.hpp"

namespace px::emulate {

Handler find_vector_handler(const Instruction&) { return nullptr; }

}  // namespace px::emulate
