// xenstored: keeps the store, and serves it to dom0's programs and to all domains.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>

#include "toolstack/daemon/background.hpp"
#include "toolstack/daemon/log.hpp"
#include "toolstack/xenstored/domain_server.hpp"
#include "toolstack/xenstored/options.hpp"
#include "toolstack/xenstored/socket_server.hpp"

namespace px::xenstored {
namespace {

using call::failure;
using call::Fd;
using call::Outcome;

/// The store's surroundings: the domains, if there is a hypervisor, and the log.
class Surroundings : public store::Host {
public:
    explicit Surroundings(daemon::Log& log) : log_(log) {}
    void serve(DomainServer& domains) { domains_ = &domains; }

    Result<> attach(DomId domain, Gfn ring, EvtPort port, store::ConnectionId connection) override {
        if (!domains_) return {};  // --no-domains: known, without a ring
        auto attached = domains_->attach(domain, ring, port, connection);
        if (attached.ok()) return {};
        log("can't serve domain " + std::to_string(domain.raw) + ": " + attached.error().text);
        return Err{Errno::einval};
    }
    void detach(DomId domain) override {
        if (domains_) domains_->detach(domain);
    }
    void log(std::string_view line) override { log_.line(line); }

private:
    daemon::Log& log_;
    DomainServer* domains_ = nullptr;
};

/// A descriptor that becomes readable when this process is asked to end.
Outcome<Fd> catch_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    Fd fd{signalfd(-1, &set, SFD_CLOEXEC)};
    if (!fd) return failure("can't catch signals");
    return fd;
}

Outcome<> run(const Options& options, daemon::Log& log) {
    daemon::Background background;
    if (options.fork) TRY(background.enter());
    Fd pid_file;
    if (!options.pid_file.empty()) pid_file = TRY(daemon::write_pid_file(options.pid_file));
    if (!options.trace_file.empty() && !log.use_file(options.trace_file)) return failure("can't log to " + options.trace_file);
    if (options.print_pid) {
        std::printf("%d\n", getpid());
        std::fflush(stdout);
    }

    auto loop = TRY(daemon::EventLoop::create());
    Surroundings surroundings(log);
    store::Store store(surroundings, options.quotas);
    std::unique_ptr<DomainServer> domains;
    if (options.hypervisor) {
        domains = TRY(DomainServer::create(loop, [&](std::string_view line) { log.line(line); }));
        domains->serve(store);
        surroundings.serve(*domains);
        if (options.dom0_ring) TRY(domains->attach_dom0());
    }
    SocketServer sockets(store, loop);
    TRY(sockets.listen(options.directory));
    bool ended = false;
    Fd signals = TRY(catch_signals());
    TRY(loop.add(signals.get(), EPOLLIN, [&](u32) { ended = true; }));

    background.ready();
    if (options.fork && options.trace_file.empty()) log.use_syslog("xenstored");
    while (!ended) {
        loop.run_once(domains && domains->has_backlog() ? 0 : -1);
        if (domains) domains->run_backlog();
        for (auto ready = store.take_ready(); !ready.empty(); ready = store.take_ready()) {
            for (store::ConnectionId id : ready) {
                if (store.is_connected(id) && !sockets.flush(id) && domains) domains->flush(id);
            }
        }
    }
    if (!options.pid_file.empty()) unlink(options.pid_file.c_str());
    return {};
}

}  // namespace
}  // namespace px::xenstored

int main(int count, char** arguments) {
    auto options = px::xenstored::parse_options(count, arguments);
    if (!options) return 2;
    if (options->help) {
        std::fputs(px::xenstored::usage, stdout);
        return 0;
    }
    px::daemon::Log log;
    auto result = px::xenstored::run(*options, log);
    if (result.ok()) return 0;
    log.line("xenstored: " + result.error().text);
    return 1;
}
