// xl vcpu-set: how many vCPUs a guest uses.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    const u64 count = TRY(parse_number(arguments.word(1), 512, "number of vCPUs"));
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    const u64 most = u64{info.max_vcpu_id} + 1;
    if (count == 0 || count > most) return Err{Error{EINVAL, "the domain can have 1 to " + std::to_string(most) + " vCPUs (maxvcpus)"}};
    const std::string home = domain::home_of(DomId{info.domain});
    TRY(system.store.transact([&](u32 transaction) -> Outcome<> {
        for (u64 vcpu = 0; vcpu < most; ++vcpu) {
            TRY(system.store.write(home + "/cpu/" + std::to_string(vcpu) + "/availability", vcpu < count ? "online" : "offline",
                                   transaction));
        }
        return {};
    }));
    return exit_success;
}

constexpr Option options[] = {{'i', "ignore-host", "", "accepted: more vCPUs than CPUs are allowed anyway"}};

}  // namespace

const Command vcpu_set_command{"vcpu-set", "DOMAIN COUNT", "Sets how many vCPUs a domain uses", options, 2, 2, run};

}  // namespace px::xl
