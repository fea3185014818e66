// xl pause and xl unpause.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/domain.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

template <Outcome<> (control::Domain::*action)()>
Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    TRY((control::Domain(system.privcmd, id).*action)());
    return exit_success;
}

}  // namespace

const Command pause_command{"pause", "DOMAIN", "Stops a domain's vCPUs", {}, 1, 1, run<&control::Domain::pause>};
const Command unpause_command{"unpause", "DOMAIN", "Lets a paused domain go on", {}, 1, 1, run<&control::Domain::unpause>};

}  // namespace px::xl
