// Exchanging frames of a domain for others, all or nothing: memory that is contiguous, or low enough, for a device.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {

class DomainMemory;

/// Frames that were taken from a domain go back to it, and new ones to the allocator, unless commit() says otherwise. The caller
/// holds the domain. Takes LockRank::domain_memory; no other lock is held.
class FrameExchange {
public:
    explicit FrameExchange(DomainMemory& memory) : memory_(memory) {}
    FrameExchange(const FrameExchange&) = delete;
    ~FrameExchange();

    /// Takes 2^order frames. Errors: einval where one isn't the domain's alone: mapped, in any use, or given up.
    Result<> take(Mfn first, unsigned order);
    /// Finds 2^order frames for it, no more in all than were taken. Errors: enomem.
    Result<Mfn> allocate(unsigned order, const AllocationHint& hint);
    /// As many were allocated as were taken: they are the domain's now, each with its allocation reference.
    void commit();

private:
    /// Frames without references, linked by Frame::next.
    struct Chain {
        u32 head = 0;
        u64 count = 0;
        void push(Frame& frame);
        Frame& pop();
    };
    DomainMemory& memory_;
    Chain taken_, fresh_;
};

}  // namespace px
