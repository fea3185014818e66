// xl destroy.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/guest.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    if (id == DomId{0}) return Err{Error{EPERM, "dom0 can't be destroyed: power the machine off instead"}};
    TRY(domain::remove_guest(system, id));
    return exit_success;
}

constexpr Option options[] = {{'f', "", "", "accepted, as with 4.17; dom0 is never destroyed"}};

}  // namespace

const Command destroy_command{"destroy", "DOMAIN", "Ends a domain at once", options, 1, 1, run};

}  // namespace px::xl
