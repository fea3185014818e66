// One end of a domain's xenstore ring: bytes in, bytes out. The other end is a guest and not trusted.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/io/xs_wire.hpp"
#include "toolstack/store/wire.hpp"
#include "toolstack/xenstored/state.hpp"

namespace px::xenstored {

class Ring {
public:
    /// `page` stays mapped while the Ring is used. The guest may write to it at any time.
    explicit Ring(abi::XenstoreDomainInterface& page) : page_(page) {}

    /// Says that the server is there, and what it can do.
    void connect();
    /// Did the guest ask to begin anew (after a kexec, say)?
    bool wants_reconnection() const;
    /// Empties both queues and says so.
    void reconnect();
    /// Up to where we took requests and gave replies, as the page says. A guest may change that: firmware
    /// clears the page before a kernel takes over.
    RingIndices indices() const;
    /// Copies what the guest wrote, which stays in the ring until set_taken(); returns how much. Error
    /// einval: its indices are impossible.
    Result<u32> peek(store::Encoder& out) const;
    /// What is before `index` was taken. There may be more already, for which no event comes.
    void set_taken(u32 index);
    /// Puts what fits of `bytes` into the ring; returns how much. There may be room for more already, as
    /// above. Error einval as above.
    Result<u32> send(std::string_view bytes);
    /// Tells the guest why it is no longer served.
    void set_error(abi::XenstoreError error);

private:
    abi::XenstoreDomainInterface& page_;
};

}  // namespace px::xenstored
