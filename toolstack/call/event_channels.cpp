// Event channels of this domain, through /dev/xen/evtchn [linux/uapi xen/evtchn.h].
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/call/event_channels.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

namespace px::call {

namespace {

struct BindVirq {
    u32 virq;
};
struct BindInterdomain {
    u32 domain, port;
};
struct BindUnbound {
    u32 domain;
};
struct OnPort {
    u32 port;
};

template <class Argument>
constexpr unsigned long request(unsigned number) {
    return _IOC(_IOC_NONE, 'E', number, sizeof(Argument));
}

template <class Argument>
Outcome<EvtPort> bind(int fd, unsigned number, Argument argument, const char* what) {
    int port = ioctl(fd, request<Argument>(number), &argument);
    if (port < 0) return failure(what);
    return EvtPort{static_cast<u32>(port)};
}

Outcome<> on_port(int fd, unsigned number, EvtPort port, const char* what) {
    OnPort argument{port.raw};
    if (ioctl(fd, request<OnPort>(number), &argument) < 0) return failure(what);
    return {};
}

}  // namespace

Outcome<EventChannels> EventChannels::open(const SystemPaths& paths) {
    Fd fd = TRY(open_device("evtchn", "xen-evtchn", paths));
    if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) < 0) return failure("can't set /dev/xen/evtchn to non-blocking");
    return EventChannels(std::move(fd));
}

Outcome<EvtPort> EventChannels::bind_virq(abi::Virq virq) {
    return bind(fd(), 0, BindVirq{static_cast<u32>(virq)}, "can't bind a virtual interrupt");
}

Outcome<EvtPort> EventChannels::bind_interdomain(DomId remote, EvtPort port) {
    return bind(fd(), 1, BindInterdomain{remote.raw, port.raw}, "can't bind a domain's event channel");
}

Outcome<EvtPort> EventChannels::bind_unbound(DomId remote) { return bind(fd(), 2, BindUnbound{remote.raw}, "can't make an event channel"); }

Outcome<> EventChannels::unbind(EvtPort port) { return on_port(fd(), 3, port, "can't close an event channel"); }
Outcome<> EventChannels::notify(EvtPort port) { return on_port(fd(), 4, port, "can't notify an event channel"); }

Outcome<std::optional<EvtPort>> EventChannels::pending() {
    u32 port = 0;
    ssize_t count = read(fd(), &port, sizeof port);
    if (count == sizeof port) return std::optional(EvtPort{port});
    if (count < 0 && errno != EAGAIN && errno != EINTR) return failure("can't read events");
    return std::optional<EvtPort>{};
}

Outcome<> EventChannels::unmask(EvtPort port) {
    if (write(fd(), &port.raw, sizeof port.raw) != sizeof port.raw) return failure("can't unmask an event channel");
    return {};
}

}  // namespace px::call
