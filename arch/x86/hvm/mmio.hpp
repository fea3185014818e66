// Emulated device memory and ports of a domain: which handler serves an address.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

/// Serves accesses of 1, 2, 4 or 8 bytes, made by `vcpu`; `offset` is from the region's start.
class MmioHandler {
public:
    virtual u64 read(Vcpu& vcpu, u64 offset, unsigned size) = 0;
    virtual void write(Vcpu& vcpu, u64 offset, unsigned size, u64 value) = 0;

protected:
    ~MmioHandler() = default;
};

/// Serves port accesses of 1, 2 or 4 bytes.
class PortHandler {
public:
    virtual u32 read(Vcpu& vcpu, u16 port, unsigned size) = 0;
    virtual void write(Vcpu& vcpu, u16 port, unsigned size, u32 value) = 0;

protected:
    ~PortHandler() = default;
};

/// Filled while the domain is built, constant afterwards: no lock.
class MmioHandlers {
public:
    struct Region {
        u64 start, size;
        MmioHandler* handler;
    };
    /// Errors: enospc, eexist where regions would overlap.
    Result<> add(u64 start, u64 size, MmioHandler& handler) {
        for (const Region& region : regions_) REQUIRE(start + size <= region.start || start >= region.start + region.size, eexist);
        return regions_.push_back({start, size, &handler});
    }
    const Region* find(u64 address) const {
        for (const Region& region : regions_) {
            if (address - region.start < region.size) return &region;
        }
        return nullptr;
    }
    /// Serves what no region does and the physmap doesn't map: for devices whose memory moves. Offsets are addresses then.
    void set_rest(MmioHandler& handler) { rest_ = {0, ~u64{0}, &handler}; }
    /// As find(), else the rest's handler, if there is one.
    const Region* find_or_rest(u64 address) const {
        const Region* const region = find(address);
        return region != nullptr || rest_.handler == nullptr ? region : &rest_;
    }

private:
    Region rest_{0, 0, nullptr};
    StaticVector<Region, 48> regions_;
};

class PortHandlers {
public:
    struct Region {
        u16 first, last;
        PortHandler* handler;
    };
    /// Errors: enospc, eexist.
    Result<> add(u16 first, u16 last, PortHandler& handler) {
        for (const Region& region : regions_) REQUIRE(last < region.first || first > region.last, eexist);
        return regions_.push_back({first, last, &handler});
    }
    const Region* find(u16 port) const {
        for (const Region& region : regions_) {
            if (port >= region.first && port <= region.last) return &region;
        }
        return nullptr;
    }

private:
    StaticVector<Region, 16> regions_;
};

}  // namespace px::hvm
