// A guest's memory as the loader writes it: through foreign mappings.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "boot/loader/errors.hpp"
#include "toolstack/call/privcmd.hpp"

namespace px::builder {

/// A loader::Destination. All of a range must be memory of the guest.
class GuestMemory {
public:
    GuestMemory(call::Privcmd& privcmd, DomId domain) : privcmd_(privcmd), domain_(domain) {}
    /// Of a guest without a physmap: its frames by their pseudo-physical numbers; they outlive this. What the loader writes is told by
    /// addresses that are `offset` larger.
    GuestMemory(call::Privcmd& privcmd, DomId domain, std::span<const u64> frames, u64 offset = 0)
        : privcmd_(privcmd), domain_(domain), frames_(frames), offset_(offset) {}

    loader::Loaded<> write(Gpaddr address, std::span<const u8> bytes);
    loader::Loaded<> zero(Gpaddr address, u64 size);
    /// The same with the cause of a failure.
    call::Outcome<> copy_in(Gpaddr address, std::span<const u8> bytes);

    /// Why the last write() or zero() failed.
    const call::Error& cause() const { return cause_; }

private:
    template <class Fill>
    call::Outcome<> fill(Gpaddr address, u64 size, Fill&& fill);

    call::Privcmd& privcmd_;
    DomId domain_;
    std::span<const u64> frames_{};
    u64 offset_ = 0;
    call::Error cause_{};
};

}  // namespace px::builder
