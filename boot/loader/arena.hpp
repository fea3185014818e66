// Arena: working memory of the decompressors, bounded by the caller.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/base/types.hpp"

namespace px::loader {

/// Hands out pieces of one buffer in order. Only the newest piece can be given back; all others go with the
/// arena. That is enough here, for a decompressor lives once and allocates little but its dictionary.
class Arena {
public:
    constexpr explicit Arena(std::span<u8> memory) : memory_(memory) {}

    /// `size` bytes aligned to 64, or nullptr if the arena is spent.
    void* allocate(usize size) {
        const auto base = reinterpret_cast<u64>(memory_.data());
        const u64 start = align_up<u64>(base + used_, 64) - base;
        if (start > memory_.size() || size > memory_.size() - start) return nullptr;
        newest_ = start;
        used_ = start + size;
        return memory_.data() + start;
    }
    /// `piece` came from allocate(), or is nullptr.
    void release(void* piece) {
        if (piece == memory_.data() + newest_) used_ = newest_;
    }
    /// Everything handed out so far becomes free.
    void reset() { used_ = newest_ = 0; }
    usize used() const { return used_; }

private:
    std::span<u8> memory_;
    usize used_ = 0;
    usize newest_ = 0;
};

}  // namespace px::loader
