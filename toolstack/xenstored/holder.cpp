// The half of xenstored that lives on: it has the sockets, and starts a worker whenever there is none.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/xenstored/holder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace px::xenstored {

using call::Error;
using call::failure;
using call::Fd;
using call::Outcome;

namespace {

constexpr usize spare_descriptors = 32;  // of ours, beside the clients'
constexpr int pause_ms_max = 5000;       // before another try, when workers die before they serve

sigset_t caught_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
    return set;
}

std::string ending(int status) {
    if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
    return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Outcome<Holder> Holder::create(const std::string& directory, Spawn spawn, Log log) {
    Holder holder(std::move(spawn), std::move(log));
    if (mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return failure("can't make the directory " + directory);
    TRY(holder.lock(directory + "/lock"));
    if (getrandom(&holder.own_number_, sizeof holder.own_number_, 0) < 0) return failure("can't get a random number");
    sigset_t set = caught_signals();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    holder.signals_ = Fd{signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!holder.signals_) return failure("can't catch signals");
    TRY(holder.listen(directory + "/socket", true));
    TRY(holder.listen(directory + "/socket_ro", false));
    return holder;
}

/// One holder and one worker in a directory. The worker of a holder that was killed dies a moment later.
Outcome<> Holder::lock(const std::string& path) {
    constexpr int tries = 40, pause_us = 50000;
    lock_ = Fd{open(path.c_str(), O_RDWR | O_CREAT, 0600)};  // inherited
    if (!lock_) return failure("can't open " + path);
    for (int left = tries; flock(lock_.get(), LOCK_EX | LOCK_NB) < 0; --left) {
        if (left == 0) return Err{Error{EBUSY, path + " is locked: another xenstored serves this directory"}};
        usleep(pause_us);
    }
    return {};
}

Outcome<> Holder::listen(const std::string& path, bool writable) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, "the socket " + path);
    path.copy(address.sun_path, path.size());
    Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    unlink(path.c_str());
    if (!fd || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
        chmod(path.c_str(), writable ? 0600 : 0660) < 0 || ::listen(fd.get(), 64) < 0) {
        return failure("can't listen on " + path);
    }
    listeners_.push_back({std::move(fd), path, writable});
    return {};
}

Outcome<> Holder::run(const std::function<void()>& ready) {
    TRY(start_worker());
    for (;;) {
        const bool owes = worker_ != 0 && (!complete_said_ || told_ < last_number_);
        std::vector<pollfd> waits{{signals_.get(), POLLIN, 0}, {link_.get(), static_cast<short>(owes ? POLLIN | POLLOUT : POLLIN), 0}};
        for (const Listener& listener : listeners_) waits.push_back({has_room() ? listener.fd.get() : -1, POLLIN, 0});
        const int pause = worker_ == 0 ? std::min(pause_ms_max, 100 << std::min(failures_, 8u)) : -1;
        int count = poll(waits.data(), waits.size(), pause);
        if (count < 0 && errno != EINTR) return failure("can't wait for clients");
        if (count == 0 && worker_ == 0) TRY(start_worker());
        if (count <= 0) continue;
        for (usize i = 0; i < listeners_.size(); ++i) {
            if (waits[2 + i].revents) accept_from(listeners_[i]);
        }
        if (waits[1].revents & (POLLIN | POLLHUP)) hear_worker(ready);
        if (waits[1].revents & POLLOUT) tell_worker();
        if (waits[0].revents && TRY(on_signal())) break;
    }
    for (const Listener& listener : listeners_) unlink(listener.path.c_str());
    return {};
}

bool Holder::has_room() const {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return clients_.size() + spare_descriptors < limit.rlim_cur;
}

Outcome<> Holder::start_worker() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) return failure("can't make a link");
    Fd ours{ends[0]}, theirs{ends[1]};
    worker_ = TRY(spawn_(theirs.get()));
    link_ = std::move(ours);
    told_ = 0;
    hello_said_ = complete_said_ = worker_ready_ = false;
    return {};
}

void Holder::accept_from(const Listener& listener) {
    Fd fd{accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!fd) return;
    clients_.emplace(++last_number_, Client{std::move(fd), listener.writable});
    if (worker_ != 0) tell_worker();
}

/// Tells what the worker doesn't know yet, as far as the link takes it.
void Holder::tell_worker() {
    if (!hello_said_) {
        if (!send_message(link_.get(), {HolderMessage::hello, 0, own_number_}).ok()) return;
        hello_said_ = true;
    }
    for (auto next = clients_.upper_bound(told_); next != clients_.end(); ++next) {
        if (!send_message(link_.get(), {HolderMessage::client, next->second.writable, next->first}, next->second.fd.get()).ok()) return;
        told_ = next->first;
    }
    told_ = last_number_;
    if (!complete_said_) complete_said_ = send_message(link_.get(), {HolderMessage::complete}).ok();
}

void Holder::hear_worker(const std::function<void()>& ready) {
    for (;;) {
        auto received = receive_message(link_.get());
        if (!received.ok()) link_.reset();  // it is ending: SIGCHLD comes
        if (!received.ok() || !*received) return;
        const HolderMessage& message = (*received)->message;
        if (message.kind == HolderMessage::drop) clients_.erase(message.number);
        if (message.kind != HolderMessage::ready) continue;
        worker_ready_ = true;
        failures_ = 0;
        if (!std::exchange(was_ready_, true)) ready();
    }
}

/// True when it is time to end.
Outcome<bool> Holder::on_signal() {
    for (signalfd_siginfo info; read(signals_.get(), &info, sizeof info) == sizeof info;) {
        if (info.ssi_signo == SIGCHLD) continue;
        ending_ = true;
        if (worker_ == 0) return true;
        kill(worker_, SIGTERM);
    }
    int status;
    while (worker_ != 0 && waitpid(worker_, &status, WNOHANG) == worker_) {
        worker_ = 0;
        link_.reset();
        if (TRY(worker_ended(status))) return true;
    }
    return false;
}

/// True when that is the end of xenstored too. A worker that is asked to end does so with status 0.
Outcome<bool> Holder::worker_ended(int status) {
    if (ending_ || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return true;
    if (!was_ready_) return Err{Error{EINVAL, "xenstored " + ending(status) + " before it served"}};
    log_("xenstored " + ending(status) + (worker_ready_ ? "" : " before it served") + "; another one goes on from its journal");
    if (!worker_ready_) {
        ++failures_;
        return false;  // after a pause
    }
    TRY(start_worker());
    return false;
}

Outcome<pid_t> start_program(const std::string& program, const std::vector<std::string>& arguments, int link) {
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) return failure("can't start " + program);
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    sigset_t set = caught_signals();
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    if (link == worker_link_fd) fcntl(link, F_SETFD, 0);
    else dup2(link, worker_link_fd);
    execv(program.c_str(), words.data());
    _exit(127);
}

}  // namespace px::xenstored
