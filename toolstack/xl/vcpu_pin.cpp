// xl vcpu-pin.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xl/cpu_list.hpp"
#include "toolstack/xl/sizes.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const auto info = TRY(domain::find_info(system, arguments.word(0)));
    u32 first = 0, last = info.max_vcpu_id;
    if (arguments.word(1) != "all") first = last = static_cast<u32>(TRY(parse_number(arguments.word(1), 511, "number of a vCPU, or all")));
    const auto hard = TRY(parse_cpus(system.privcmd, arguments.word(2)));
    const auto soft = TRY(parse_cpus(system.privcmd, arguments.optional_word(3).value_or("-")));
    if (!hard && !soft) return Err{Error{EINVAL, "both affinities are '-': nothing to set"}};
    control::Domain target(system.privcmd, DomId{info.domain});
    for (u32 vcpu = first; vcpu <= last; ++vcpu) TRY(control::set_vcpu_affinity(target, vcpu, hard, soft, arguments.has('f')));
    return exit_success;
}

constexpr Option options[] = {{'f', "force", "", "also where the kernel has pinned a vCPU for a while"}};

}  // namespace

const Command vcpu_pin_command{
    "vcpu-pin", "DOMAIN VCPU|all HARD_CPUS|- [SOFT_CPUS|-]", "Sets where vCPUs may run (hard), and like to (soft)", options, 3, 4, run};

}  // namespace px::xl
