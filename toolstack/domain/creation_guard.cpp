// Undoes a creation whose process died on the way.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/creation_guard.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "toolstack/daemon/background.hpp"
#include "toolstack/domain/guest.hpp"
#include "toolstack/domain/lookup.hpp"

namespace px::domain {

using call::Outcome;

namespace {

constexpr const char* create_lock = "/run/xl-create.lock";

Outcome<std::vector<DomId>> domains_of(System& system, const control::Handle& uuid) {
    std::vector<DomId> found;
    for (const Info& info : TRY(call::list_domains(system.privcmd))) {
        if (std::to_array(info.handle) == uuid) found.push_back(DomId{info.domain});
    }
    return found;
}

Outcome<> undo(const control::Handle& uuid, const std::vector<DomId>& before) {
    const call::Fd turn = TRY(take_turn());
    System system = TRY(System::open());
    for (const DomId domain : TRY(domains_of(system, uuid))) {
        if (std::ranges::find(before, domain) == before.end()) TRY(remove_guest(system, domain));
    }
    return {};
}

/// Everything but `kept` goes: a descriptor that this process kept would keep a dead process's connection and
/// locks alive.
void leave_all_but(int kept) {
    setsid();
    for (int number : {SIGINT, SIGHUP, SIGTERM, SIGPIPE}) signal(number, SIG_IGN);
    dup2(kept, 3);
    close_range(4, ~0u, 0);
    daemon::leave_terminal();
}

}  // namespace

Outcome<call::Fd> take_turn() {
    call::Fd lock{open(create_lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!lock) return call::failure(std::string("can't open ") + create_lock);
    while (flock(lock.get(), LOCK_EX) < 0) {
        if (errno != EINTR) return call::failure("can't wait for another domain that is being made");
    }
    return lock;
}

Outcome<CreationGuard> CreationGuard::start(System& system, const control::Handle& uuid) {
    const auto before = TRY(domains_of(system, uuid));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return call::failure("can't make a pipe");
    call::Fd read_end{ends[0]}, write_end{ends[1]};
    const pid_t child = fork();
    if (child < 0) return call::failure("can't start the process that undoes what is left half-made");
    if (child > 0) return CreationGuard(child, std::move(write_end));
    leave_all_but(read_end.get());
    char word;
    ssize_t count;
    while ((count = read(3, &word, 1)) < 0 && errno == EINTR) {}
    _exit(count == 1 || undo(uuid, before).ok() ? 0 : 1);
}

void CreationGuard::release() {
    if (process_ <= 0) return;
    static_cast<void>(!write(pipe_.get(), "+", 1));  // a guard that is gone needs no word
    pipe_.reset();
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
    process_ = 0;
}

}  // namespace px::domain
