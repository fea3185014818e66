// A person at a domain's console: what `xl console` does.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "toolstack/call/error.hpp"
#include "toolstack/store/client.hpp"

namespace px::console {

enum class ConsoleType : u8 { pv, serial, vuart };

inline constexpr char escape_key = 0x1d;  ///< Ctrl-]

/// The terminal of a domain's console `number`; waits up to `wait_ms` for it to appear in the store.
call::Outcome<std::string> find_terminal(store::Client& store, DomId domain, ConsoleType type, unsigned number, int wait_ms);

/// Connects `input` and `output` (as a rule 0 and 1) with `terminal` until Ctrl-], the end of the input, or the end of the
/// domain. A terminal as input is raw meanwhile, and as it was afterwards.
call::Outcome<> attach(const std::string& terminal, int input, int output);

}  // namespace px::console
