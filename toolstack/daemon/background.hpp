// Becoming a daemon: fork, tell when ready, write the process number.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"

namespace px::daemon {

/// The parent waits until the child is ready or gone, and exits with 0 or 1: whoever started it can use the service then.
/// Forks before any device is opened, since the mappings of Xen's devices don't survive a fork.
class Background {
public:
    /// Returns in the child only.
    call::Outcome<> enter();
    /// The service works: releases the parent, and tells systemd if it waits ($NOTIFY_SOCKET).
    void ready();

private:
    call::Fd parent_;
};

/// Standard input and outputs lead nowhere from now on.
void leave_terminal();

/// Writes this process's number to `path` and keeps the file locked. Error: another one runs (it holds the lock).
call::Outcome<call::Fd> write_pid_file(const std::string& path);

}  // namespace px::daemon
