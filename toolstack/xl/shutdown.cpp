// xl shutdown and xl reboot: the guest is asked, through the store.
//
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <set>

#include "toolstack/xl/command.hpp"

namespace px::xl {

namespace {

constexpr std::chrono::seconds patience{60};  // as with 4.17

Outcome<std::set<DomId>> targets(System& system, const Arguments& arguments) {
    std::set<DomId> targets;
    if (!arguments.has('a')) {
        if (arguments.words().empty()) return Err{Error{EINVAL, "which domain? (-a: all guests)"}};
        targets.insert(TRY(domain::find_domain(system, arguments.word(0))));
        return targets;
    }
    if (!arguments.words().empty()) return Err{Error{EINVAL, "either -a or a domain"}};
    for (const auto& info : TRY(call::list_domains(system.privcmd, DomId{1}))) {
        if (!(info.flags & (abi::dominf::dying | abi::dominf::shutdown))) targets.insert(DomId{info.domain});
    }
    return targets;
}

/// Returns when none of them runs any more; a domain that reboots has another number.
Outcome<> wait_for(System& system, std::set<DomId> waiting) {
    TRY(system.store.watch("@releaseDomain", "shutdown"));
    while (!waiting.empty()) {
        for (auto at = waiting.begin(); at != waiting.end();) {
            const auto info = TRY(call::domain_info(system.privcmd, *at));
            const bool stopped = !info || info->flags & (abi::dominf::dying | abi::dominf::shutdown);
            const bool is_there = info && info->flags & abi::dominf::shutdown;
            if (stopped) std::printf("Domain %u has been %s\n", at->raw, is_there ? "shut down" : "destroyed");
            at = stopped ? waiting.erase(at) : std::next(at);
        }
        std::fflush(stdout);
        if (!waiting.empty()) TRY(system.store.next_event(-1));
    }
    return {};
}

std::string node_of(DomId id) { return domain::home_of(id) + "/control/shutdown"; }

/// A guest that obeys empties the node before it acts. True: it did, or is gone.
Outcome<bool> was_taken(System& system, DomId id) {
    const auto value = TRY(system.store.read_optional(node_of(id)));
    if (!value || value->empty()) return true;
    const auto info = TRY(call::domain_info(system.privcmd, id));
    return !info || info->flags & (abi::dominf::dying | abi::dominf::shutdown);
}

/// Takes a request back that nobody listens to, so that a driver which comes later doesn't find it.
Outcome<> withdraw(System& system, DomId id) {
    return system.store.transact([&](u32 transaction) -> Outcome<> {
        const auto value = TRY(system.store.read_optional(node_of(id), transaction));
        return value && !value->empty() ? system.store.write(node_of(id), "", transaction) : Outcome<>{};
    });
}

/// Waits until the guests have taken the request. Returns those that did; the others are told about.
Outcome<std::set<DomId>> await_taken(System& system, std::set<DomId> asked) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + patience;
    for (const DomId id : asked) TRY(system.store.watch(node_of(id), "taken"));
    TRY(system.store.watch("@releaseDomain", "taken"));
    std::set<DomId> taken;
    for (;;) {
        for (auto at = asked.begin(); at != asked.end();) {
            const bool done = TRY(was_taken(system, *at));
            if (done) taken.insert(*at);
            at = done ? asked.erase(at) : std::next(at);
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (asked.empty() || left <= 0) break;
        TRY(system.store.next_event(static_cast<int>(left)));
    }
    for (const DomId id : taken) TRY(system.store.unwatch(node_of(id), "taken"));
    TRY(system.store.unwatch("@releaseDomain", "taken"));
    for (const DomId id : asked) {
        TRY(withdraw(system, id));
        std::fprintf(stderr, "Domain %u doesn't listen: it hasn't taken the request within %lld seconds; 'xl destroy' ends it\n", id.raw,
                     static_cast<long long>(patience.count()));
    }
    return taken;
}

Outcome<int> ask(const Arguments& arguments, const char* request, const char* shown) {
    System system = TRY(System::open());
    const std::set<DomId> domains = TRY(targets(system, arguments));
    for (const DomId id : domains) {
        if (id == DomId{0}) return Err{Error{EPERM, "dom0 is stopped by its own commands"}};
        if (!TRY(system.store.read_optional(node_of(id)))) {
            return Err{Error{ENOTSUP, "domain " + std::to_string(id.raw) + " can't be asked; 'xl destroy' ends it"}};
        }
    }
    for (const DomId id : domains) {
        std::printf("%s domain %u\n", shown, id.raw);
        TRY(system.store.write(node_of(id), request));
    }
    std::fflush(stdout);
    const std::set<DomId> taken = TRY(await_taken(system, domains));
    if (arguments.has('w')) TRY(wait_for(system, taken));
    return taken.size() == domains.size() ? exit_success : exit_failure;
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
