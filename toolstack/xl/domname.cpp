// xl domname.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    TRY(parse_number(arguments.word(0), 0x7fef, "number of a domain"));
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    std::printf("%s\n", domain::name_of(system, id).c_str());
    return exit_success;
}

}  // namespace

const Command domname_command{"domname", "NUMBER", "Shows the name of a domain", {}, 1, 1, run};

}  // namespace px::xl
