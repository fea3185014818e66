// xl dmesg.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/machine.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    auto privcmd = TRY(call::Privcmd::open());
    const std::string log = TRY(control::read_log(privcmd, arguments.has('c')));
    std::fwrite(log.data(), 1, log.size(), stdout);
    return exit_success;
}

constexpr Option options[] = {{'c', "clear", "", "empty the log afterwards"}};

}  // namespace

const Command dmesg_command{"dmesg", "", "Shows the hypervisor's log", options, 0, 0, run};

}  // namespace px::xl
