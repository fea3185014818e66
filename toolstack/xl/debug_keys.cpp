// xl debug-keys.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/machine.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    auto privcmd = TRY(call::Privcmd::open());
    TRY(control::send_debug_keys(privcmd, arguments.word(0)));
    return exit_success;
}

}  // namespace

const Command debug_keys_command{"debug-keys", "KEYS", "Sends debug keys to the hypervisor; 'xl dmesg' shows the answer", {}, 1, 1, run};

}  // namespace px::xl
