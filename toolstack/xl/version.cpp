// xl version: of these tools.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/xen.hpp"
#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments&) {
    std::printf("Philoxen xl, for hypervisors with the ABI of Xen %u.%u\n", abi::version_major, abi::version_minor);
    return exit_success;
}

}  // namespace

const Command version_command{"version", "", "Shows which xl this is", {}, 0, 0, run};

}  // namespace px::xl
