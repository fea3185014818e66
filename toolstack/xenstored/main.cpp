// xenstored: keeps the store, and serves it to dom0's programs and to all domains.
//
// What is started becomes the holder (holder.hpp), which starts this program again as its worker.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "toolstack/daemon/background.hpp"
#include "toolstack/daemon/log.hpp"
#include "toolstack/xenstored/options.hpp"
#include "toolstack/xenstored/worker.hpp"

namespace px::xenstored {
namespace {

using call::failure;
using call::Fd;
using call::Outcome;

constexpr const char* holder_name = "xenstore-holder";
constexpr const char* holder_directory = "/usr/lib/xen/bin";

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

Outcome<> serve(const Options& options, daemon::Log& log) {
    Fd pid_file;
    if (!options.pid_file.empty()) pid_file = TRY(daemon::write_pid_file(options.pid_file));
    if (!options.trace_file.empty() && !log.use_file(options.trace_file)) return failure("can't log to " + options.trace_file);
    if (options.print_pid) {
        std::printf("%d\n", getpid());
        std::fflush(stdout);
    }
    auto line = [&](std::string_view text) { log.line(text); };
    auto loop = TRY(daemon::EventLoop::create());
    std::unique_ptr<Hypervisor> hypervisor;
    if (options.hypervisor) hypervisor = TRY(open_hypervisor(line));
    Worker worker({options.directory + "/journal", worker_link_fd, hypervisor.get(), options.dom0_ring, options.quotas, line});
    bool ended = false;
    Fd signals = TRY(catch_signals());
    TRY(loop.add(signals.get(), EPOLLIN, [&](u32) { ended = true; }));
    TRY(worker.start(loop));
    if (options.fork && options.trace_file.empty()) log.use_syslog("xenstored");
    if (options.fork) daemon::leave_terminal();
    while (!ended) TRY(worker.turn(loop));
    if (!options.pid_file.empty()) unlink(options.pid_file.c_str());
    return {};
}

/// Becomes the holder. It lies beside this program in a build, else where it is installed.
Err<call::Error> become_holder(const Options& options, int count, char** arguments) {
    std::error_code ignored;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    std::filesystem::path holder = self.parent_path() / holder_name;
    if (access(holder.c_str(), X_OK) < 0) holder = std::filesystem::path(holder_directory) / holder_name;
    const std::string path = holder.string(), program = self.string();
    std::vector<const char*> words{path.c_str(), options.fork ? "background" : "foreground", options.directory.c_str(), program.c_str()};
    words.insert(words.end(), arguments, arguments + count);
    words.push_back(nullptr);
    execv(path.c_str(), const_cast<char**>(words.data()));
    return failure("can't start " + path);
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
    auto result = options->worker ? px::xenstored::serve(*options, log)
                                  : px::call::Outcome<>(px::xenstored::become_holder(*options, count, arguments));
    if (result.ok()) return 0;
    log.line("xenstored: " + result.error().text);
    return 1;
}
