// What xenstored needs of the hypervisor: rings, event channels, the state of domains. Tests have one of
// their own.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "toolstack/call/error.hpp"
#include "toolstack/call/handle.hpp"
#include "toolstack/store/store.hpp"

namespace px::xenstored {

class Hypervisor {
public:
    struct LocalRing {
        call::Mapping page;
        EvtPort port;  ///< the kernel's end
    };

    virtual ~Hypervisor() = default;
    virtual call::Outcome<call::Mapping> map_ring(DomId domain, Gfn ring) = 0;
    /// The ring of this very kernel.
    virtual call::Outcome<LocalRing> local_ring() = 0;
    /// A port of ours that is connected to `port` of `domain`. All ports are closed when this process ends:
    /// then the other end can be bound anew.
    virtual call::Outcome<EvtPort> bind(DomId domain, EvtPort port) = 0;
    virtual void unbind(EvtPort port) = 0;
    virtual call::Outcome<> notify(EvtPort port) = 0;
    /// Becomes readable when an event is pending.
    virtual int event_fd() const = 0;
    /// The port of the next pending event, ready for another one; domain_changed() is one of them.
    virtual call::Outcome<std::optional<EvtPort>> next_event() = 0;
    /// The port that tells that some domain ended or shut down.
    virtual EvtPort domain_changed() const = 0;
    /// A domain that is being torn down counts as gone: nothing answers for it any more.
    virtual call::Outcome<store::DomainState> state_of(DomId domain) = 0;
};

/// The one that this system runs under, by the kernel's devices. What it can do without is said to `log`.
call::Outcome<std::unique_ptr<Hypervisor>> open_hypervisor(const std::function<void(std::string_view)>& log);

}  // namespace px::xenstored
