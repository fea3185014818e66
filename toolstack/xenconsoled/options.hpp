// xenconsoled's command line: Debian's options, and bounds for the logs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "toolstack/xenconsoled/log_file.hpp"

namespace px::console {

struct Options {
    bool log_guests = false, log_hypervisor = false;
    bool stamp_guests = false, stamp_hypervisor = false;
    bool keep_output = false;  ///< --overflow-data=keep
    bool fork = true;
    bool verbose = false;
    bool help = false, version = false;
    std::string log_directory = "/var/log/xen/console";
    std::string pid_file{};
    LogPolicy policy{};
};

/// The options, or nothing after having said on standard error what is wrong with them.
std::optional<Options> parse_options(int count, char** arguments);

extern const char* const usage;

}  // namespace px::console
