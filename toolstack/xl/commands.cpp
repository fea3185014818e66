// The table of commands.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "toolstack/xl/command.hpp"

namespace px::xl {

bool dry_run = false;

namespace {

/// How many letters must be added, left out or replaced to make `b` of `a`.
usize distance(std::string_view a, std::string_view b) {
    std::vector<usize> row(b.size() + 1);
    for (usize j = 0; j <= b.size(); ++j) row[j] = j;
    for (usize i = 0; i < a.size(); ++i) {
        usize corner = std::exchange(row[0], i + 1);
        for (usize j = 0; j < b.size(); ++j) {
            const usize above = row[j + 1];
            row[j + 1] = std::min({above + 1, row[j] + 1, corner + (a[i] != b[j])});
            corner = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::span<const Command> commands() {
    static const Command table[] = {
        block_attach_command,   block_detach_command, block_list_command,   button_press_command,
        channel_list_command,   check_command,        claims_command,       config_command,
        config_update_command,  console_command,      cpupool_list_command, create_command,
        debug_keys_command,     destroy_command,      dmesg_command,        domid_command,
        domname_command,        info_command,         init_dom0_command,    list_command,
        manual_command,         mem_max_command,      mem_set_command,      network_attach_command,
        network_detach_command, network_list_command, pause_command,        pci_assignable_list_command,
        pci_list_command,       reboot_command,       rename_command,       sched_credit2_command,
        shutdown_command,       sysrq_command,        top_command,          trigger_command,
        unpause_command,        uptime_command,       vcpu_list_command,    vcpu_pin_command,
        vcpu_set_command,       version_command,      vm_list_command,
    };
    return table;
}

const Command* find_command(std::string_view name) {
    if (!why_unsupported(name).empty()) return nullptr;  // sched-credit isn't short for sched-credit2
    const Command* found = nullptr;
    for (const Command& command : commands()) {
        if (command.name == name) return &command;
        if (!command.name.starts_with(name)) continue;
        if (found) return nullptr;  // two begin so
        found = &command;
    }
    return name.empty() ? nullptr : found;
}

std::string_view suggest_command(std::string_view name) {
    const auto nearest = std::ranges::min_element(commands(), {}, [&](const Command& command) { return distance(name, command.name); });
    return distance(name, nearest->name) <= 2 ? nearest->name : std::string_view{};
}

}  // namespace px::xl
