// Event channels of this domain, through /dev/xen/evtchn.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hypervisor/abi/xen.hpp"
#include "toolstack/call/device.hpp"

namespace px::call {

/// Ports are local ones. An event masks its port until unmask(); closing the descriptor closes the ports.
class EventChannels {
public:
    static Outcome<EventChannels> open(const SystemPaths& paths = {});

    /// Becomes readable when an event is pending.
    int fd() const { return fd_.get(); }

    Outcome<EvtPort> bind_interdomain(DomId remote, EvtPort remote_port);
    Outcome<EvtPort> bind_virq(abi::Virq virq);
    /// A port that `remote` may bind.
    Outcome<EvtPort> bind_unbound(DomId remote);
    Outcome<> unbind(EvtPort port);
    Outcome<> notify(EvtPort port);
    /// The next pending event, if any. Doesn't wait.
    Outcome<std::optional<EvtPort>> pending();
    Outcome<> unmask(EvtPort port);

private:
    explicit EventChannels(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace px::call
