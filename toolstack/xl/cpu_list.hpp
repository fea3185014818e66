// Lists of physical CPUs on the command line, in the language of cpus=.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/control/vcpus.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

/// "0-3,^1", "all", "nodes:0": one flag per CPU of the machine. Nothing for "-", which means: leave it as it is.
Outcome<std::optional<control::CpuSet>> parse_cpus(call::Privcmd& privcmd, const std::string& text);

}  // namespace px::xl
