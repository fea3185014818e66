// xenstored's command line: Debian's options, and some of our own.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "toolstack/store/quota.hpp"

namespace px::xenstored {

struct Options {
    std::string directory = "/run/xenstored";  ///< of the sockets and the journal
    std::string pid_file{};
    std::string trace_file{};
    store::Quotas quotas{};
    bool fork = true;
    bool print_pid = false;
    bool verbose = false;
    bool hypervisor = true;  ///< serve rings of domains
    bool dom0_ring = true;   ///< connect the kernel's own client
    bool help = false;
    bool worker = false;  ///< the holder started this process (holder.hpp)
};

/// The options, or nothing after having said on standard error what is wrong with them.
std::optional<Options> parse_options(int count, char** arguments);

extern const char* const usage;

}  // namespace px::xenstored
