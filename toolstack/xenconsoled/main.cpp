// xenconsoled: the consoles of domains as pseudo terminals and logs.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>

#include "toolstack/daemon/background.hpp"
#include "toolstack/xenconsoled/service.hpp"

namespace px::console {
namespace {

call::Outcome<call::Fd> catch_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    call::Fd fd{signalfd(-1, &set, SFD_CLOEXEC)};
    if (!fd) return call::failure("can't catch signals");
    return fd;
}

call::Outcome<> run(const Options& options, daemon::Log& log) {
    daemon::Background background;
    if (options.fork) TRY(background.enter());
    call::Fd pid_file;
    if (!options.pid_file.empty()) pid_file = TRY(daemon::write_pid_file(options.pid_file));
    auto loop = TRY(daemon::EventLoop::create());
    auto service = TRY(Service::create(options, loop, log));
    call::Fd signals = TRY(catch_signals());
    bool ended = false;
    TRY(loop.add(signals.get(), EPOLLIN, [&](u32) {
        signalfd_siginfo signal{};
        if (read(signals.get(), &signal, sizeof signal) != sizeof signal) return;
        if (signal.ssi_signo == SIGHUP) service->reopen_logs();
        else ended = true;
    }));
    background.ready();
    if (options.fork) log.use_syslog("xenconsoled");
    while (!ended) {
        loop.run_once(service->sleep_ms());
        service->tick();
    }
    if (!options.pid_file.empty()) unlink(options.pid_file.c_str());
    return {};
}

}  // namespace
}  // namespace px::console

int main(int count, char** arguments) {
    auto options = px::console::parse_options(count, arguments);
    if (!options || options->help) {
        std::fputs(px::console::usage, options ? stdout : stderr);
        return options ? 0 : 2;
    }
    if (options->version) {
        std::puts("xenconsoled of Philoxen 4.17");
        return 0;
    }
    px::daemon::Log log;
    auto result = px::console::run(*options, log);
    if (result.ok()) return 0;
    log.line("xenconsoled: " + result.error().text);
    return 1;
}
