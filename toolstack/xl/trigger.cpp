// xl trigger.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "toolstack/control/domain.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

constexpr std::string_view names[] = {"nmi", "reset", "init", "power", "sleep"};  // in the order of abi::SendTrigger

Outcome<int> run(const Arguments& arguments) {
    const auto found = std::ranges::find(names, arguments.word(1));
    if (found == std::end(names)) return Err{Error{EINVAL, "'" + arguments.word(1) + "' is none of nmi, reset, init, power, sleep"}};
    const auto vcpu = static_cast<u32>(TRY(parse_number(arguments.optional_word(2).value_or("0"), 511, "number of a vCPU")));
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    TRY(control::Domain(system.privcmd, id).trigger(static_cast<abi::SendTrigger>(found - std::begin(names)), vcpu));
    return exit_success;
}

/// The ACPI buttons, by their old command.
Outcome<int> press(const Arguments& arguments) {
    const std::string& button = arguments.word(1);
    if (button != "power" && button != "sleep") return Err{Error{EINVAL, "'" + button + "' is no button: power or sleep"}};
    std::fputs("'xl button-press' is deprecated: use 'xl trigger'\n", stderr);
    return run(arguments);
}

}  // namespace

const Command button_press_command{"button-press", "DOMAIN power|sleep", "Presses an ACPI button of a domain (deprecated)", {}, 2, 2,
                                   press};
const Command trigger_command{"trigger", "DOMAIN nmi|reset|init|power|sleep [VCPU]", "Sends a trigger to a domain", {}, 2, 3, run};

}  // namespace px::xl
