// A loop around epoll: a function per file descriptor.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/daemon/event_loop.hpp"

namespace px::daemon {

call::Outcome<EventLoop> EventLoop::create() {
    call::Fd fd{epoll_create1(EPOLL_CLOEXEC)};
    if (!fd) return call::failure("can't make an event loop");
    return EventLoop(std::move(fd));
}

call::Outcome<> EventLoop::add(int fd, u32 events, Handler handler) {
    epoll_event entry{};
    entry.events = events;
    entry.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &entry) < 0) return call::failure("can't wait for a file descriptor");
    handlers_[fd] = std::make_shared<Handler>(std::move(handler));
    return {};
}

void EventLoop::change(int fd, u32 events) {
    epoll_event entry{};
    entry.events = events;
    entry.data.fd = fd;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &entry);
}

void EventLoop::remove(int fd) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    handlers_.erase(fd);
}

void EventLoop::run_once(int timeout_ms) {
    epoll_event ready[32];
    int count = epoll_wait(epoll_.get(), ready, 32, timeout_ms);
    for (int i = 0; i < count; ++i) {
        auto found = handlers_.find(ready[i].data.fd);
        if (found == handlers_.end()) continue;  // an earlier handler of this round removed it
        std::shared_ptr<Handler> handler = found->second;
        (*handler)(ready[i].events);
    }
}

}  // namespace px::daemon
