// One end of a domain's xenstore ring: bytes in, bytes out. The other end is a guest and not trusted.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/io/xs_wire.hpp"
#include "toolstack/store/wire.hpp"

namespace px::xenstored {

class Ring {
public:
    /// `page` stays mapped while the Ring is used. The guest may write to it at any time.
    explicit Ring(abi::XenstoreDomainInterface& page) : page_(page) {}

    /// Says that the server is there, and what it can do.
    void connect();
    /// Did the guest ask to begin anew (after a kexec, say)? If so both queues are empty afterwards.
    bool reconnect_if_asked();
    /// Moves what the guest wrote into `inbox`; true if there was something: then there may be more already, for which no
    /// event comes. Error einval: its indices are impossible.
    Result<bool> receive(store::Inbox& inbox);
    /// Moves what fits from `outbox` into the ring; true if something did: then there may be room for more already, as
    /// above. Error einval as above.
    Result<bool> send(store::Outbox& outbox);
    /// Tells the guest why it is no longer served.
    void set_error(abi::XenstoreError error);

private:
    abi::XenstoreDomainInterface& page_;
};

}  // namespace px::xenstored
