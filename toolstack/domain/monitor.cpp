// Watching over a guest.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/monitor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "toolstack/control/domain.hpp"
#include "toolstack/domain/creation_guard.hpp"
#include "toolstack/domain/guest.hpp"
#include "toolstack/domain/uuid.hpp"

namespace px::domain {

using abi::ShutdownReason;
using call::Outcome;
using xlcfg::DomainConfig;
using xlcfg::ShutdownAction;

namespace {

using Log = std::function<void(const std::string&)>;

constexpr unsigned pause_seconds = 2;  ///< before a restart: a guest that stops at once must not keep a CPU busy; 4.17 has it too
constexpr unsigned reconnect_tries = 600, reconnect_interval_us = 100'000;
constexpr const char* log_directory = "/var/log/xen";
constexpr const char* reason_names[] = {"powered off",       "wants a reboot", "suspended", "crashed", "was stopped by its watchdog",
                                        "wants a soft reset"};

bool restarts(ShutdownAction action) {
    return action == ShutdownAction::restart || action == ShutdownAction::rename_restart || action == ShutdownAction::coredump_restart;
}

/// Waits until the domain stops; nothing when it is gone or somebody else is destroying it.
Outcome<std::optional<ShutdownReason>> wait_for_stop(System& system, DomId domain) {
    TRY(system.store.watch("@releaseDomain", "monitor"));
    std::optional<ShutdownReason> reason;
    for (;;) {
        const auto info = TRY(call::domain_info(system.privcmd, domain));
        if (!info || info->flags & abi::dominf::dying) break;
        reason = shutdown_reason(*info);
        if (reason) break;
        TRY(system.store.next_event(-1));
    }
    TRY(system.store.unwatch("@releaseDomain", "monitor"));
    return reason;
}

/// The same, also where xenstored was ended with all its connections meanwhile and started again.
Outcome<std::optional<ShutdownReason>> wait_for_stop(System& system, DomId domain, const Log& log) {
    for (;;) {
        auto reason = wait_for_stop(system, domain);
        if (reason.ok() || (reason.error().code != ECONNRESET && reason.error().code != EPIPE)) return reason;
        log("xenstored is gone: waiting for another one");
        auto anew = System::open();
        for (unsigned left = reconnect_tries; !anew.ok() && left != 0; --left) {
            usleep(reconnect_interval_us);
            anew = System::open();
        }
        system = TRY(std::move(anew));
    }
}

Outcome<DomId> start_again(System& system, const DomainConfig& config) {
    const GuestPlan plan = TRY(GuestPlan::prepare(config));
    const CreationGuard guard = TRY(CreationGuard::start(system, plan.uuid()));
    const DomId domain = TRY(plan.create(system));
    TRY(control::Domain(system.privcmd, domain).unpause());
    return domain;
}

/// Does `action`; the new domain's number if there is one to go on watching.
Outcome<std::optional<DomId>> act(System& system, DomId domain, DomainConfig& config, ShutdownAction action, const Log& log) {
    if (action == ShutdownAction::preserve) {
        log("it is kept as it is: 'xl destroy' removes it");
        return std::optional<DomId>{};
    }
    if (action == ShutdownAction::coredump_destroy || action == ShutdownAction::coredump_restart) log("core dumps aren't written yet");
    if (action == ShutdownAction::soft_reset) log("soft reset isn't supported yet: the domain is destroyed");
    if (action == ShutdownAction::rename_restart) {
        const std::string old = config.name.value_or("") + "-" + std::to_string(domain.raw);
        TRY(rename_guest(system, domain, old));
        config.uuid = {};  // the old one keeps it
        log("the old domain is called " + old + " now");
    } else {
        TRY(remove_guest(system, domain));
    }
    if (!restarts(action)) return std::optional<DomId>{};
    sleep(pause_seconds);
    log("starting it again");
    return std::optional(TRY(start_again(system, config)));
}

/// What was changed while it ran: by config-update, or by devices plugged in and out.
std::optional<DomainConfig> reread(System& system, DomId domain, const Log& log) {
    const auto info = call::domain_info(system.privcmd, domain);
    if (!info.ok() || !*info) return std::nullopt;
    auto kept = kept_config(domain, to_string((*info)->handle));
    if (kept.ok()) return *std::move(kept);
    log(kept.error().text + ": going on with what it was made of");
    return std::nullopt;
}

std::string stamp() {
    char text[32];
    const std::time_t now = std::time(nullptr);
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S ", std::localtime(&now));
    return text;
}

/// Standard input from nowhere, standard output and error to the guest's log.
void redirect(const std::string& name) {
    std::string file = "xl-" + name + ".log";
    std::ranges::replace(file, '/', '_');
    mkdir(log_directory, 0755);
    const std::string path = std::string(log_directory) + "/" + file;
    call::Fd nowhere{open("/dev/null", O_RDWR | O_CLOEXEC)}, log{open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    dup2(nowhere.get(), 0);
    for (int standard : {1, 2}) dup2(log ? log.get() : nowhere.get(), standard);
}

}  // namespace

std::optional<ShutdownAction> action_for(const xlcfg::Actions& actions, ShutdownReason reason) {
    switch (reason) {
    case ShutdownReason::poweroff: return actions.poweroff.value_or(ShutdownAction::destroy);
    case ShutdownReason::reboot: return actions.reboot.value_or(ShutdownAction::restart);
    case ShutdownReason::watchdog: return actions.watchdog.value_or(ShutdownAction::destroy);
    case ShutdownReason::soft_reset: return actions.soft_reset.value_or(ShutdownAction::soft_reset);
    case ShutdownReason::suspend: return std::nullopt;
    case ShutdownReason::crash: break;
    }
    return actions.crash.value_or(ShutdownAction::destroy);
}

Outcome<> watch_over(DomId domain, const DomainConfig& first_config, const Log& log) {
    System system = TRY(System::open());
    DomainConfig config = first_config;
    for (;;) {
        log("watching domain " + std::to_string(domain.raw));
        const auto reason = TRY(wait_for_stop(system, domain, log));
        if (!reason) {
            log("domain " + std::to_string(domain.raw) + " is gone");
            return {};
        }
        const auto number = static_cast<usize>(*reason);
        log("domain " + std::to_string(domain.raw) + " " + (number < std::size(reason_names) ? reason_names[number] : "stopped"));
        if (auto kept = reread(system, domain, log)) config = std::move(*kept);
        const auto action = action_for(config.on, *reason);
        if (!action) return {};
        const auto next = TRY(act(system, domain, config, *action, log));
        if (!next) return {};
        domain = *next;
    }
}

Outcome<> watch_over_in_background(DomId domain, const DomainConfig& config) {
    const pid_t child = fork();
    if (child < 0) return call::failure("can't start the process that watches over the guest");
    if (child > 0) return {};
    setsid();
    redirect(config.name.value_or(""));
    if (chdir("/") < 0) _exit(1);
    const auto log = [](const std::string& text) {
        std::printf("%s%s\n", stamp().c_str(), text.c_str());
        std::fflush(stdout);
    };
    const auto done = watch_over(domain, config, log);
    if (!done.ok()) log("giving up: " + done.error().text);
    _exit(done.ok() ? 0 : 1);
}

}  // namespace px::domain
