// Lists of physical CPUs on the command line.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/cpu_list.hpp"

#include <algorithm>

#include "libxlcfg/cpus.hpp"
#include "toolstack/control/machine.hpp"

namespace px::xl {

Outcome<std::optional<control::CpuSet>> parse_cpus(call::Privcmd& privcmd, const std::string& text) {
    if (text == "-") return std::optional<control::CpuSet>{};
    xlcfg::Value value;
    value.text = text;
    value.places.resize(text.size());
    xlcfg::Diagnostics diagnostics;
    xlcfg::CpuList list;
    if (!read(list, value, diagnostics) || diagnostics.errors()) {
        return Err{Error{EINVAL, diagnostics.all().empty() ? "'" + text + "' is no list of CPUs" : diagnostics.all().front().message}};
    }
    const std::vector<u32> nodes = TRY(control::nodes_of_cpus(privcmd));
    control::CpuSet set = list.resolve(static_cast<u32>(nodes.size()), [&](u32 cpu) { return nodes[cpu]; });
    if (std::ranges::find(set, true) == set.end()) return Err{Error{EINVAL, "this machine has no CPU of '" + text + "'"}};
    return std::optional(std::move(set));
}

}  // namespace px::xl
