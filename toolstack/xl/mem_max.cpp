// xl mem-max: the hypervisor's limit of a domain's memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/domain.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

constexpr u64 limit_slack_kib = 1024;  // as the builder's: rings and tables

Outcome<int> run(const Arguments& arguments) {
    const u64 kib = TRY(parse_memory(arguments.word(1)));
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    if (kib < info.tot_pages * (page_size / 1024) - std::min(info.tot_pages * (page_size / 1024), limit_slack_kib)) {
        return Err{Error{EINVAL, "the domain has more memory than that now: 'xl mem-set' first"}};
    }
    const DomId id{info.domain};
    TRY(control::Domain(system.privcmd, id).set_max_memory(kib + limit_slack_kib));
    TRY(system.store.write(domain::home_of(id) + "/memory/static-max", std::to_string(kib)));
    return exit_success;
}

}  // namespace

const Command mem_max_command{"mem-max", "DOMAIN AMOUNT", "Limits a domain's memory", {}, 2, 2, run};

}  // namespace px::xl
