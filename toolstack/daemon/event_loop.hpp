// A loop around epoll: a function per file descriptor.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"

namespace px::daemon {

class EventLoop {
public:
    static call::Outcome<EventLoop> create();

    using Handler = std::function<void(u32 events)>;  ///< EPOLL* bits
    /// Calls `handler` whenever `events` (EPOLLIN, EPOLLOUT) come true on `fd`, level triggered.
    call::Outcome<> add(int fd, u32 events, Handler handler);
    /// Changes what to wait for; 0: only for errors.
    void change(int fd, u32 events);
    /// Must be called before `fd` is closed. A handler may remove itself and others.
    void remove(int fd);

    /// Waits for events (at most `timeout_ms`, -1: for ever) and calls their handlers.
    void run_once(int timeout_ms = -1);

private:
    explicit EventLoop(call::Fd fd) : epoll_(std::move(fd)) {}
    call::Fd epoll_;
    std::unordered_map<int, std::shared_ptr<Handler>> handlers_;
};

}  // namespace px::daemon
