// xl uptime.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "toolstack/xl/format.hpp"

namespace px::xl {

namespace {

std::string shown(u64 seconds) {
    const unsigned long long days = seconds / 86400;
    const auto hours = static_cast<unsigned>(seconds / 3600 % 24), minutes = static_cast<unsigned>(seconds / 60 % 60);
    std::string text = days ? format("%llu day%s, ", days, days > 1 ? "s" : "") : "";
    return text + format("%2u:%02u:%02u", hours, minutes, static_cast<unsigned>(seconds % 60));
}

/// Since the toolstack made it; dom0's is this kernel's.
Outcome<u64> seconds_up(System& system, DomId id) {
    if (id == DomId{0}) {
        double up = 0;
        std::ifstream("/proc/uptime") >> up;
        return static_cast<u64>(up);
    }
    const std::string vm = TRY(system.store.read(domain::home_of(id) + "/vm"));
    const double since = std::atof(TRY(system.store.read(vm + "/start_time")).c_str());
    const double up = static_cast<double>(std::time(nullptr)) - since;
    return up > 0 ? static_cast<u64>(up) : 0;
}

Outcome<int> run(const Arguments& arguments) {
    System system = TRY(System::open());
    std::vector<DomId> domains;
    for (const std::string& word : arguments.words()) domains.push_back(TRY(domain::find_domain(system, word)));
    if (domains.empty()) {
        for (const auto& info : TRY(call::list_domains(system.privcmd))) domains.push_back(DomId{info.domain});
    }
    Json all = Json::array();
    std::string text = arguments.has('s') ? "" : format("%-33s %4s %s\n", "Name", "ID", "Uptime");
    for (const DomId id : domains) {
        const auto up = seconds_up(system, id);
        if (!up.ok()) continue;  // it ended just now
        const std::string name = domain::name_of(system, id);
        all.push_back({{"name", name}, {"domid", id.raw}, {"seconds", *up}});
        if (arguments.has('s')) text += format("up %s, %s (%u)\n", shown(*up).c_str(), name.c_str(), id.raw);
        else text += format("%-33s %4u %s\n", name.c_str(), id.raw, shown(*up).c_str());
    }
    if (arguments.has(json_option.letter)) print(all);
    else std::fputs(text.c_str(), stdout);
    return exit_success;
}

constexpr Option options[] = {{'s', "short", "", "one plain line for each"}, json_option};

}  // namespace

const Command uptime_command{"uptime", "[DOMAIN…]", "Shows for how long domains have been running", options, 0, any_number, run};

}  // namespace px::xl
