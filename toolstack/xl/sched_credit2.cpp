// xl sched-credit2: shares of the CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/machine.hpp"
#include "toolstack/xl/format.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

Outcome<int> set_domain(System& system, const std::string& name, const Arguments& arguments) {
    control::Domain target(system.privcmd, TRY(domain::find_domain(system, name)));
    auto share = TRY(target.credit2());
    if (auto weight = arguments.value('w')) share.weight = static_cast<u16>(TRY(parse_number(*weight, 65535, "weight")));
    if (auto cap = arguments.value('c')) share.cap = static_cast<u16>(TRY(parse_number(*cap, 65535, "cap, in percent of a CPU")));
    if (arguments.has('w') && share.weight == 0) return Err{Error{EINVAL, "a weight is at least 1"}};
    TRY(target.set_credit2(share));
    return exit_success;
}

Outcome<int> show(System& system, const std::vector<DomId>& domains, const Arguments& arguments) {
    const u32 ratelimit = TRY(control::credit2_ratelimit(system.privcmd));
    Json all{{"ratelimit_us", ratelimit}, {"domains", Json::array()}};
    std::string text = format("Cpupool Pool-0: ratelimit=%uus\n", ratelimit);
    text += format("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
    for (const DomId id : domains) {
        const auto share = control::Domain(system.privcmd, id).credit2();
        if (!share.ok()) continue;  // it ended just now
        const std::string name = domain::name_of(system, id);
        text += format("%-33s %4u %6u %4u\n", name.c_str(), id.raw, share->weight, share->cap);
        all["domains"].push_back({{"name", name}, {"domid", id.raw}, {"weight", share->weight}, {"cap", share->cap}});
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const auto name = arguments.value('d');
    if ((arguments.has('w') || arguments.has('c')) && !name) return Err{Error{EINVAL, "weight and cap of which domain? (-d DOMAIN)"}};
    if (auto ratelimit = arguments.value('r')) {
        const u64 microseconds = TRY(parse_number(*ratelimit, 500'000, "number of microseconds"));
        TRY(control::set_credit2_ratelimit(system.privcmd, static_cast<u32>(microseconds)));
        return exit_success;
    }
    if (arguments.has('w') || arguments.has('c')) return set_domain(system, *name, arguments);
    std::vector<DomId> domains;
    if (name) domains.push_back(TRY(domain::find_domain(system, *name)));
    else
        for (const auto& info : TRY(call::list_domains(system.privcmd))) domains.push_back(DomId{info.domain});
    return show(system, domains, arguments);
}

constexpr Option options[] = {
    {'d', "domain", "DOMAIN", "only this domain"},
    {'w', "weight", "WEIGHT", "its share when domains compete; 256 is usual"},
    {'c', "cap", "CAP", "the most that it gets, in percent of a CPU; 0: no limit"},
    {'s', "schedparam", "", "accepted: the scheduler's own parameters are always shown"},
    {'p', "cpupool", "POOL", "accepted: there is only Pool-0"},
    {'r', "ratelimit_us", "MICROSECONDS", "for how long a vCPU runs at least"},
    json_option,
};

}  // namespace

const Command sched_credit2_command{"sched-credit2", "", "Shows or sets the domains' shares of the CPUs", options, 0, 0, run};

}  // namespace px::xl
