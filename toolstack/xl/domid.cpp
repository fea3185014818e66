// xl domid.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const auto id = TRY(domain::find_by_name(system, arguments.word(0)));
    if (!id) return Err{Error{ESRCH, "there is no domain called '" + arguments.word(0) + "'"}};
    std::printf("%u\n", id->raw);
    return exit_success;
}

}  // namespace

const Command domid_command{"domid", "NAME", "Shows the number of a domain", {}, 1, 1, run};

}  // namespace px::xl
