// Lists that can only be empty yet: of PCI devices that are passed through.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/format.hpp"

namespace px::xl {

namespace {

/// The domains that are named must exist all the same.
Outcome<int> show_nothing(const Arguments& arguments, const char* heading) {
    System system = TRY(System::open());
    for (const std::string& word : arguments.words()) TRY(domain::find_domain(system, word));
    if (arguments.has(json_option.letter)) print(Json::array());
    else std::fputs(heading, stdout);
    return exit_success;
}

Outcome<int> devices(const Arguments& arguments) { return show_nothing(arguments, "Vdev Device\n"); }
Outcome<int> assignable(const Arguments& arguments) { return show_nothing(arguments, ""); }

constexpr Option options[] = {json_option};
constexpr Option assignable_options[] = {{'n', "show-names", "", "also their names"}, json_option};

}  // namespace

const Command pci_assignable_list_command{
    "pci-assignable-list", "", "Shows the PCI devices that guests could be given: none yet", assignable_options, 0, 0, assignable};
const Command pci_list_command{"pci-list", "DOMAIN", "Shows the PCI devices of a domain: none yet", options, 1, 1, devices};

}  // namespace px::xl
