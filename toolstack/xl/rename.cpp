// xl rename.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/guest.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    TRY(domain::rename_guest(system, id, arguments.word(1)));
    return exit_success;
}

}  // namespace

const Command rename_command{"rename", "DOMAIN NEW_NAME", "Gives a domain another name", {}, 2, 2, run};

}  // namespace px::xl
