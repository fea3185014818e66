// When each CPU last flushed its TLB, so that a flush which has happened since a mapping ended isn't made again.
//
// The clock counts flushes. A frame whose use ends is stamped with it; a CPU may hold a translation to the frame only where its own
// last flush began no later than that. A stamp is the clock's low half: of the times that it may mean, the latest is taken,
// which at worst makes a flush too many. So nothing happens when 32 bits are used up.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>

#include "hypervisor/base/cpu_mask.hpp"

namespace px::pv {

class TlbClock {
public:
    /// For a translation whose entry is gone already. Never 0.
    u32 stamp() {
        u64 now = clock_.load(std::memory_order_seq_cst);
        while (static_cast<u32>(now) == 0) now = clock_.fetch_add(1, std::memory_order_seq_cst) + 1;
        return static_cast<u32>(now);
    }
    /// The calling CPU does flush() of everything. A flush of a part isn't told to the clock.
    template <class Flush>
    void flushing(CpuId cpu, Flush flush) {
        const u64 began = clock_.fetch_add(1, std::memory_order_seq_cst) + 1;
        flush();
        last_[cpu.raw].store(began, std::memory_order_seq_cst);
    }
    /// Those of `cpus` that may still hold what was stamped so; 0: nothing was.
    CpuMask stale(const CpuMask& cpus, u32 stamp) const {
        if (stamp == 0) return {};
        const u64 now = clock_.load(std::memory_order_seq_cst);
        const u64 latest = now - (static_cast<u32>(now) - stamp);
        CpuMask result;
        for (const CpuId cpu : cpus) {
            if (last_[cpu.raw].load(std::memory_order_seq_cst) <= latest) result.add(cpu);
        }
        return result;
    }
    /// Begins elsewhere than at 1. For tests.
    void begin_at(u64 time) { clock_.store(time); }

private:
    std::atomic<u64> clock_{1};
    std::array<std::atomic<u64>, CpuMask::capacity> last_{};
};

}  // namespace px::pv
