// xl mem-set: how much memory a guest's balloon driver shall leave it.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "toolstack/control/domain.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

constexpr u64 limit_slack_kib = 1024;  // as the builder's: rings and tables

Outcome<int> run(const Arguments& arguments) {
    const u64 kib = TRY(parse_memory(arguments.word(1)));
    System system = TRY(System::open());
    const DomId id = TRY(domain::find_domain(system, arguments.word(0)));
    const std::string memory = domain::home_of(id) + "/memory";
    const auto most = TRY(system.store.read_optional(memory + "/static-max"));
    if (most && kib > std::strtoull(most->c_str(), nullptr, 10)) {
        return Err{Error{EINVAL, "domain " + std::to_string(id.raw) + " can have at most " + *most + " KiB (maxmem)"}};
    }
    control::Domain domain(system.privcmd, id);
    if (id != DomId{0}) TRY(domain.set_max_memory(kib + limit_slack_kib));  // also a guest that doesn't obey can't grow
    TRY(system.store.write(memory + "/target", std::to_string(kib)));
    return exit_success;
}

}  // namespace

const Command mem_set_command{"mem-set", "DOMAIN AMOUNT", "Sets how much memory a domain uses", {}, 2, 2, run};

}  // namespace px::xl
