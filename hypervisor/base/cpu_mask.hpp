// Sets of physical CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/bitmap.hpp"

namespace px {

/// A set of CPUs; the numbers passed in are below `capacity`. Not synchronised.
class CpuMask {
public:
    /// Logical CPU numbers are below this on every architecture.
    static constexpr unsigned capacity = 256;
    using Bits = Bitmap<capacity>;

    constexpr CpuMask() = default;
    constexpr explicit CpuMask(const Bits& bits) : bits_(bits) {}
    static constexpr CpuMask all() { return CpuMask{Bits::all()}; }
    static constexpr CpuMask of(CpuId cpu) {
        CpuMask result;
        result.add(cpu);
        return result;
    }
    /// CPUs 0 … count-1.
    static constexpr CpuMask first_n(usize count) {
        CpuMask result;
        for (u32 cpu = 0; cpu < count && cpu < capacity; ++cpu) result.add(CpuId{cpu});
        return result;
    }

    constexpr bool has(CpuId cpu) const { return bits_.test(cpu.raw); }
    constexpr void add(CpuId cpu) { bits_.set(cpu.raw); }
    constexpr void remove(CpuId cpu) { bits_.clear(cpu.raw); }
    constexpr bool empty() const { return bits_.empty(); }
    constexpr usize count() const { return bits_.count(); }
    constexpr std::optional<CpuId> first() const { return to_cpu(bits_.find_first()); }
    /// The next member after `cpu`, going round; `cpu` itself comes last.
    constexpr std::optional<CpuId> next_after(CpuId cpu) const {
        const auto bit = bits_.find_next(usize{cpu.raw} + 1);
        return bit ? to_cpu(bit) : first();
    }
    constexpr bool is_subset_of(const CpuMask& other) const { return bits_.is_subset_of(other.bits_); }
    constexpr bool intersects(const CpuMask& other) const { return bits_.intersects(other.bits_); }
    constexpr const Bits& bits() const { return bits_; }

    friend constexpr CpuMask operator|(const CpuMask& a, const CpuMask& b) { return CpuMask{a.bits_ | b.bits_}; }
    friend constexpr CpuMask operator&(const CpuMask& a, const CpuMask& b) { return CpuMask{a.bits_ & b.bits_}; }
    friend constexpr CpuMask operator-(const CpuMask& a, const CpuMask& b) { return CpuMask{a.bits_ - b.bits_}; }
    friend constexpr bool operator==(const CpuMask&, const CpuMask&) = default;

    class Iterator {
    public:
        constexpr explicit Iterator(Bits::Iterator bit) : bit_(bit) {}
        constexpr CpuId operator*() const { return CpuId{static_cast<u32>(*bit_)}; }
        constexpr Iterator& operator++() {
            ++bit_;
            return *this;
        }
        constexpr bool operator==(const Iterator&) const = default;

    private:
        Bits::Iterator bit_;
    };
    constexpr Iterator begin() const { return Iterator{bits_.begin()}; }
    constexpr Iterator end() const { return Iterator{bits_.end()}; }

private:
    static constexpr std::optional<CpuId> to_cpu(std::optional<usize> bit) {
        if (!bit) return std::nullopt;
        return CpuId{static_cast<u32>(*bit)};
    }
    Bits bits_;
};

/// A set of CPUs that any CPU changes without a lock. Every change is sequentially consistent, so that "I publish,
/// then I look" protocols between two CPUs hold.
class AtomicCpuMask {
public:
    bool has(CpuId cpu) const { return (word(cpu).load() & bit(cpu)) != 0; }
    /// Both return whether the CPU was a member before.
    bool add(CpuId cpu) { return (word(cpu).fetch_or(bit(cpu)) & bit(cpu)) != 0; }
    bool remove(CpuId cpu) { return (word(cpu).fetch_and(~bit(cpu)) & bit(cpu)) != 0; }
    /// Nobody is a member any more; not at one moment.
    void clear() {
        for (auto& word : words_) word.store(0);
    }
    /// Each word is read once; members may change meanwhile.
    CpuMask snapshot() const {
        std::array<u64, CpuMask::capacity / 64> words;
        for (usize i = 0; i < words.size(); ++i) words[i] = words_[i].load();
        return CpuMask{CpuMask::Bits::from_words(words)};
    }

private:
    static constexpr u64 bit(CpuId cpu) { return u64{1} << (cpu.raw % 64); }
    std::atomic<u64>& word(CpuId cpu) { return words_[cpu.raw / 64]; }
    const std::atomic<u64>& word(CpuId cpu) const { return words_[cpu.raw / 64]; }
    std::array<std::atomic<u64>, CpuMask::capacity / 64> words_{};
};

}  // namespace px
