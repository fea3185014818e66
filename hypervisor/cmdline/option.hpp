// One row of the option table, and how arguments are stored.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/base/result.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::cmdline {

enum class Kind : u8 { boolean, integer, size, string, list };

constexpr std::string_view text(Kind kind) {
    constexpr std::string_view names[] = {"boolean", "integer", "size", "string", "list"};
    return names[static_cast<usize>(kind)];
}

/// What stands behind an option's name.
struct Argument {
    std::string_view value;
    bool given = false;    ///< there was a `=`
    bool negated = false;  ///< the name had the prefix `no-`; then nothing was given
};

/// Why a value is refused, and which part of it (all, when empty).
struct Refusal {
    const char* reason;
    std::string_view culprit = {};
};
using Outcome = Result<void, Refusal>;

/// Sets what the argument says; what it can't use it refuses and leaves as it was.
using Store = Outcome (*)(BootOptions& options, const Argument& argument);

struct Option {
    std::string_view name;
    Kind kind;
    std::string_view syntax;    ///< of the value, for the documentation
    std::string_view fallback;  ///< the default, for the documentation
    std::string_view doc;
    Store store;
    bool toggles = false;        ///< means on without a value and off with `no-`, as booleans always do
    const char* note = nullptr;  ///< accepted, but: reported whenever the option is used

    constexpr bool can_toggle() const { return toggles || kind == Kind::boolean; }
};

/// All options, in the order of the documentation.
std::span<const Option> option_table();

}  // namespace px::cmdline
