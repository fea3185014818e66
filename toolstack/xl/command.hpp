// A command of xl: its row in the table, and what it is given to work with.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "toolstack/domain/lookup.hpp"
#include "toolstack/xl/arguments.hpp"

namespace px::xl {

using call::Error;
using call::Outcome;
using domain::System;

inline constexpr int exit_success = 0, exit_failure = 1;
inline constexpr usize any_number = ~usize{0};

/// The value is the exit code. An Error is printed after "xl NAME: ", and the exit code is 1.
using Run = Outcome<int> (*)(const Arguments&);

struct Command {
    std::string_view name;
    std::string_view synopsis;  ///< of the words, "DOMAIN [CPUS]"
    std::string_view help;      ///< one line
    std::span<const Option> options;
    usize least, most;  ///< words
    Run run;
};

/// All commands by name.
std::span<const Command> commands();
/// Null when there is none of that name; a beginning that only one command has is enough, as with 4.17.
const Command* find_command(std::string_view name);
/// The nearest name, for a misspelt one; empty: none is near.
std::string_view suggest_command(std::string_view name);

/// Why a command of 4.17 isn't served; empty: it is, or there never was one of that name.
std::string_view why_unsupported(std::string_view name);

/// What `xl help` prints, and `xl help COMMAND`.
std::string overview();
std::string usage(const Command& command);

/// Set by `xl -N`: nothing is done, only said.
extern bool dry_run;

// The rows, each defined in the file of its name.
extern const Command block_attach_command, block_detach_command, block_list_command, button_press_command, channel_list_command,
    check_command, claims_command, config_command, config_update_command, console_command, cpupool_list_command, create_command,
    debug_keys_command, destroy_command, dmesg_command, domid_command, domname_command, info_command, init_dom0_command, list_command,
    manual_command, mem_max_command, mem_set_command, network_attach_command, network_detach_command, network_list_command, pause_command,
    pci_assignable_list_command, pci_list_command, reboot_command, rename_command, sched_credit2_command, shutdown_command, sysrq_command,
    top_command, trigger_command, unpause_command, uptime_command, vcpu_list_command, vcpu_pin_command, vcpu_set_command, version_command,
    vm_list_command;

}  // namespace px::xl
