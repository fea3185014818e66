// Tags of a CPU's TLB (ASIDs, VPIDs): given to vCPUs in turn, so that entering another one flushes nothing.
//
// A vCPU keeps its tag while it stays on the CPU. When a CPU's tags are used up they begin again as a new generation,
// and every tag of older ones has lapsed.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::hvm {

struct TlbTag {
    u32 number = 0;
    u64 generation = 0;  ///< 0: none was given yet
};

class TlbTags {
public:
    /// Tags 1 … count-1 from now on. The first that is given begins a generation: what was in the TLB before us is flushed.
    void begin(u32 count) {
        count_ = next_ = count;
        generation_ = 1;
    }
    /// Whether the tag, which this CPU gave, may still be used.
    bool holds(const TlbTag& tag) const { return tag.generation == generation_; }
    struct Given {
        TlbTag tag;
        bool anew;  ///< a generation begins: every tag's translations must be flushed before the next entry
    };
    [[nodiscard]] Given give() {
        const bool anew = next_ >= count_;
        if (anew) {
            ++generation_;
            next_ = 1;
        }
        return {{next_++, generation_}, anew};
    }

private:
    u64 generation_ = 1;
    u32 count_ = 0, next_ = 0;
};

}  // namespace px::hvm
