// Configuration files of domains, as create and config-update take them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libxlcfg/config.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

/// The file's name (option -f, else the word number `first`), and the settings in the words behind it, a line each.
std::pair<std::string, std::string> config_words(const Arguments& arguments, usize first);

/// The file, then the settings of the command line, which add to and replace what it says. Nothing: standard error says why.
std::optional<xlcfg::DomainConfig> load_config(const std::string& path, const std::string& extra);

}  // namespace px::xl
