// Undoes a creation whose process died on the way.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "toolstack/domain/system.hpp"
#include "toolstack/domain/uuid.hpp"

namespace px::domain {

/// Domains are made, and half-made ones removed, one at a time, so that of two of one name or for the same
/// memory the second sees the first. The lock goes with the process that holds it.
call::Outcome<call::Fd> take_turn();

/// A process of its own, which waits until release(). If this process ends without (by `kill -9`, say, or
/// Ctrl-C), it removes the domain of that UUID with its devices and nodes. Domains of that UUID that were
/// there before are left alone. To be released when the domain runs, or when all of it was undone.
class CreationGuard {
public:
    static call::Outcome<CreationGuard> start(System& system, const control::Handle& uuid);
    CreationGuard(CreationGuard&& other) noexcept : process_(std::exchange(other.process_, 0)), pipe_(std::move(other.pipe_)) {}
    CreationGuard& operator=(CreationGuard&&) = delete;
    ~CreationGuard() { release(); }
    void release();

private:
    CreationGuard(pid_t process, call::Fd pipe) : process_(process), pipe_(std::move(pipe)) {}

    pid_t process_;
    call::Fd pipe_;
};

}  // namespace px::domain
