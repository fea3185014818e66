// xl sysrq: a Linux guest acts as if SysRq and the letter were pressed.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    if (arguments.word(1).size() != 1) return Err{Error{EINVAL, "'" + arguments.word(1) + "' isn't one letter"}};
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    TRY(system.store.write(domain::home_of(id) + "/control/sysrq", arguments.word(1)));
    return exit_success;
}

}  // namespace

const Command sysrq_command{"sysrq", "DOMAIN LETTER", "Sends a magic SysRq letter to a domain", {}, 2, 2, run};

}  // namespace px::xl
