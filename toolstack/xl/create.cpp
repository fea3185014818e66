// xl create: a guest from its configuration file.
//
// SPDX-License-Identifier: Apache-2.0
#include "libxlcfg/json.hpp"
#include "toolstack/domain/creation_guard.hpp"
#include "toolstack/domain/guest.hpp"
#include "toolstack/domain/monitor.hpp"
#include "toolstack/xenconsoled/attach.hpp"
#include "toolstack/xl/format.hpp"
#include "toolstack/xl/load_config.hpp"

namespace px::xl {

namespace {

constexpr int console_appears_ms = 5000;

/// The domain, running unless it is to stay `paused`. Files and devices are let go here, before the process that
/// watches over the guest is made of this one.
Outcome<DomId> make(const xlcfg::DomainConfig& config, bool paused) {
    const domain::GuestPlan plan = TRY(domain::GuestPlan::prepare(config));
    System system = TRY(System::open());
    const domain::CreationGuard guard = TRY(domain::CreationGuard::start(system, plan.uuid()));
    const DomId id = TRY(plan.create(system));
    if (paused) return id;
    auto runs = control::Domain(system.privcmd, id).unpause();
    if (runs.ok()) return id;
    static_cast<void>(domain::remove_guest(system, id).ok());  // the first error is the one to report
    return Err{runs.error()};
}

Outcome<> attach(DomId id) {
    std::string terminal;
    {
        System system = TRY(System::open());
        terminal = TRY(console::find_terminal(system.store, id, console::ConsoleType::pv, 0, console_appears_ms));
    }
    return console::attach(terminal, 0, 1);
}

Err<Error> undo(DomId id, const Error& error) {
    auto system = System::open();
    if (system.ok()) static_cast<void>(domain::remove_guest(*system, id).ok());  // the first error is the one to report
    return Err{error};
}

Outcome<int> run(const Arguments& arguments) {
    const auto [path, extra] = config_words(arguments, 0);
    if (path.empty()) return Err{Error{EINVAL, "which configuration file?"}};
    const bool quiet = arguments.has('q');
    if (!quiet) std::printf("Parsing config from %s\n", path.c_str());
    std::fflush(stdout);  // before errors, and before the fork: else it would be printed twice
    auto config = load_config(path, extra);
    if (!config) return exit_failure;
    if (arguments.has('n') || dry_run) {
        print(xlcfg::to_json(*config));
        return exit_success;
    }
    if (!quiet) {
        for (const std::string& text : domain::reservations(*config)) std::fprintf(stderr, "warning: %s\n", text.c_str());
    }
    domain::settle(*config);
    const DomId id = TRY(make(*config, arguments.has('p')));
    if (!arguments.has('e') && !arguments.has('F')) {
        // A guest that has stopped by now is found so.
        const auto watched = domain::watch_over_in_background(id, *config);
        if (!watched.ok()) return undo(id, watched.error());
    }
    if (arguments.has('c')) TRY(attach(id));
    if (arguments.has('F') && !arguments.has('e')) {
        TRY(domain::watch_over(id, *config, [&](const std::string& line) {
            if (!quiet) std::printf("%s\n", line.c_str());
        }));
    }
    return exit_success;
}

constexpr Option options[] = {
    {'c', "", "", "connect to the console"},
    {'p', "", "", "leave the domain paused"},
    {'q', "quiet", "", "say nothing unless it goes wrong"},
    {'n', "dryrun", "", "only check the configuration, and print it as JSON"},
    {'F', "", "", "watch over the domain in the foreground"},
    {'e', "", "", "don't watch over the domain: nobody acts when it stops"},
    {'f', "defconfig", "FILE", "the configuration file"},
    {'V', "vncviewer", "", "accepted; PVH guests have no screen"},
    {'A', "vncviewer-autopass", "", "accepted; PVH guests have no screen"},
};

}  // namespace

const Command create_command{"create", "FILE [KEY=VALUE…]", "Makes a domain from a configuration file", options, 0, any_number, run};

}  // namespace px::xl
