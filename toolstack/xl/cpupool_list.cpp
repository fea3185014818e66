// xl cpupool-list.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "toolstack/control/machine.hpp"
#include "toolstack/xl/format.hpp"

namespace px::xl {

namespace {

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    const bool show_cpus = arguments.has('c');
    const auto wanted = arguments.optional_word(0);
    Json all = Json::array();
    std::string text = show_cpus ? "Name               CPU list\n" : "Name               CPUs   Sched     Active   Domain count\n";
    for (u32 first = 0;;) {
        const auto pool = TRY(control::next_cpu_pool(system.privcmd, first));
        if (!pool) break;
        first = pool->id + 1;
        const std::string name = domain::pool_name(system, pool->id), cpus = ranges(pool->cpus);
        if (wanted && *wanted != name && *wanted != std::to_string(pool->id)) continue;
        const char* scheduler = control::scheduler_name(pool->scheduler);
        const auto count = std::ranges::count(pool->cpus, true);
        if (show_cpus) text += format("%-19s%s\n", name.c_str(), cpus.c_str());
        else text += format("%-16s %3td    %8s       y       %4u\n", name.c_str(), count, scheduler, pool->domains);
        all.push_back(
            {{"name", name}, {"id", pool->id}, {"scheduler", scheduler}, {"cpus", cpus}, {"cpu_count", count}, {"domains", pool->domains}});
    }
    if (wanted && all.empty()) return Err{Error{ENOENT, "there is no CPU pool '" + *wanted + "'"}};
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

constexpr Option options[] = {{'c', "cpus", "", "which CPUs, instead of how many"}, json_option};

}  // namespace

const Command cpupool_list_command{"cpupool-list", "[POOL]", "Shows the CPU pools", options, 0, 1, run};

}  // namespace px::xl
