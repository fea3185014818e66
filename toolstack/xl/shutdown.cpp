// xl shutdown and xl reboot: the guest is asked, through the store.
//
// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

Outcome<std::set<DomId>> targets(System& system, const Arguments& arguments) {
    std::set<DomId> targets;
    if (!arguments.has('a')) {
        if (arguments.words().empty()) return Err{Error{EINVAL, "which domain? (-a: all guests)"}};
        targets.insert(TRY(domain::find_domain(system, arguments.word(0))));
        return targets;
    }
    if (!arguments.words().empty()) return Err{Error{EINVAL, "either -a or a domain"}};
    for (const auto& info : TRY(call::list_domains(system.privcmd, DomId{1}))) targets.insert(DomId{info.domain});
    return targets;
}

/// Returns when none of them runs any more; a domain that reboots has another number.
Outcome<> wait_for(System& system, std::set<DomId> waiting) {
    TRY(system.store.watch("@releaseDomain", "shutdown"));
    while (!waiting.empty()) {
        for (auto at = waiting.begin(); at != waiting.end();) {
            const auto info = TRY(call::domain_info(system.privcmd, *at));
            const bool stopped = !info || info->flags & (abi::dominf::dying | abi::dominf::shutdown);
            if (stopped) std::printf("Domain %u has stopped\n", at->raw);
            at = stopped ? waiting.erase(at) : std::next(at);
        }
        std::fflush(stdout);
        if (!waiting.empty()) TRY(system.store.next_event(-1));
    }
    return {};
}

Outcome<int> ask(const Arguments& arguments, const char* request, const char* shown) {
    System system = TRY(System::open());
    const std::set<DomId> domains = TRY(targets(system, arguments));
    for (const DomId id : domains) {
        if (id == DomId{0}) return Err{Error{EPERM, "dom0 is stopped by its own commands"}};
        const std::string home = domain::home_of(id);
        if (!TRY(system.store.read_optional(home + "/control/shutdown"))) {
            return Err{Error{ENOTSUP, "domain " + std::to_string(id.raw) + " can't be asked; 'xl destroy' ends it"}};
        }
        std::printf("%s domain %u\n", shown, id.raw);
        TRY(system.store.write(home + "/control/shutdown", request));
    }
    std::fflush(stdout);
    if (arguments.has('w')) TRY(wait_for(system, domains));
    return exit_success;
}

Outcome<int> shutdown(const Arguments& arguments) { return ask(arguments, "poweroff", "Shutting down"); }
Outcome<int> reboot(const Arguments& arguments) { return ask(arguments, "reboot", "Rebooting"); }

constexpr Option options[] = {
    {'a', "all", "", "all guests"},
    {'w', "wait", "", "wait until they have stopped"},
    {'F', "", "", "accepted: PVH guests have no ACPI button to fall back to"},
};

}  // namespace

const Command shutdown_command{"shutdown", "[DOMAIN]", "Asks a domain to power off", options, 0, 1, shutdown};
const Command reboot_command{"reboot", "[DOMAIN]", "Asks a domain to reboot", options, 0, 1, reboot};

}  // namespace px::xl
