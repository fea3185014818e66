// The option table as documentation: docs/command-line.md is made from it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include "hypervisor/cmdline/option.hpp"

namespace px::cmdline {

inline constexpr std::string_view markdown_preamble =
    "# The hypervisor's command line\n"
    "\n"
    "<!-- Made from hypervisor/cmdline/option_table.cpp; tests/unit/cmdline compares. Change it there, then run\n"
    "     the test with PX_UPDATE_DOCS=1. -->\n"
    "\n"
    "Options are separated by blanks. Where options or their values hold blanks, put double quotes around them. In names,\n"
    "`-` and `_` are the same. When an option is given twice, the later one wins; lists of words such as `dom0=` and\n"
    "`iommu=` add up. What can't be used is reported in the log and left out: a typing error never stops the boot.\n"
    "What follows ` -- ` goes to dom0's kernel.\n"
    "\n"
    "- *boolean*: `name` and `name=yes|on|true|enable|1` turn it on, `no-name` and `name=no|off|false|disable|0` off.\n"
    "- *integer*: decimal, `0x` hexadecimal or `0` octal.\n"
    "- *size*: an integer and one of `B`, `K`, `M`, `G`, `T`; without one it counts KiB.\n"
    "- *list*: items separated by commas; words in it can be negated (`no-word`) or given a boolean (`word=off`).\n";

/// Calls `write(text)` piece by piece.
template <std::invocable<std::string_view> Write>
void write_markdown(Write write) {
    const auto put = [&](std::initializer_list<std::string_view> pieces) {
        for (const auto piece : pieces) write(piece);
    };
    write(markdown_preamble);
    for (const Option& option : option_table()) {
        put({"\n## ", option.name, "\n\n"});
        if (!option.syntax.empty()) put({"`", option.name, "=", option.syntax, "`\n\n"});
        put({"*", text(option.kind), "*"});
        if (!option.fallback.empty()) put({", default: ", option.fallback});
        put({"\n\n", option.doc, "\n"});
        if (option.note != nullptr) put({"\nThis option ", option.note, ".\n"});
    }
}

}  // namespace px::cmdline
