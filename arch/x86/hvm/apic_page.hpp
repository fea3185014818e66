// The register page of a virtual local APIC, laid out as processors that virtualize APICs want it. [intel/sdm3 30.1]
//
// The registers belong to the vCPU: whoever owns it writes them, and so does the processor while the guest runs. Others
// post interrupts at the page's end, where no register is, in the layout of a posted-interrupt descriptor. Those that are
// triggered by a level have a descriptor of their own, which no processor reads: their ends must be seen, and before one is
// requested the owner has to arrange that.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>

#include "arch/x86/machine/apic_registers.hpp"

namespace px::hvm {

/// Interrupts on their way to an APIC, from any CPU without a lock [intel/sdm3 30.6].
class alignas(64) PostedInterrupts {
public:
    /// True where it wasn't posted already. The outstanding bit is set behind it: who clears that sees the interrupt.
    bool post(u8 vector) {
        const u64 bit = u64{1} << (vector % 64);
        const u64 before = requests_[vector / 64].fetch_or(bit, std::memory_order_acq_rel);
        control_.fetch_or(outstanding, std::memory_order_acq_rel);
        return (before & bit) == 0;
    }
    bool pending() const { return (control_.load(std::memory_order_relaxed) & outstanding) != 0; }
    u64 word(usize index) const { return requests_[index].load(std::memory_order_acquire); }
    /// Calls take(index, bits) for each word that isn't 0, and clears it.
    template <class Take>
    void collect(Take take) {
        control_.fetch_and(~outstanding, std::memory_order_acq_rel);
        for (usize i = 0; i < requests_.size(); ++i) {
            if (requests_[i].load(std::memory_order_relaxed) == 0) continue;
            if (const u64 bits = requests_[i].exchange(0, std::memory_order_acq_rel); bits != 0) take(i, bits);
        }
    }

private:
    static constexpr u64 outstanding = 1;
    std::array<std::atomic<u64>, 4> requests_{};
    std::atomic<u64> control_{0};
    std::array<u64, 3> reserved_{};
};

class alignas(4096) ApicPage {
public:
    /// `offset`: of a register, a multiple of 16 below 400h.
    u32 get(u32 offset) const { return __atomic_load_n(&words_[offset / 4], __ATOMIC_RELAXED); }
    void set(u32 offset, u32 value) { __atomic_store_n(&words_[offset / 4], value, __ATOMIC_RELAXED); }

    // Sets of vectors (in service, trigger mode, request): 64 of them at a time, and one.
    u64 word(arch::apic::Register set, usize index) const {
        const u32 low = set + static_cast<u32>(index) * 32;
        return get(low) | u64{get(low + 16)} << 32;
    }
    void set_word(arch::apic::Register set, usize index, u64 value) {
        const u32 low = set + static_cast<u32>(index) * 32;
        this->set(low, static_cast<u32>(value));
        this->set(low + 16, static_cast<u32>(value >> 32));
    }
    bool has(arch::apic::Register set, u8 vector) const { return (get(place(set, vector)) >> (vector % 32) & 1) != 0; }
    void add(arch::apic::Register set, u8 vector) { this->set(place(set, vector), get(place(set, vector)) | 1u << (vector % 32)); }
    void remove(arch::apic::Register set, u8 vector) { this->set(place(set, vector), get(place(set, vector)) & ~(1u << (vector % 32))); }
    /// -1: the set is empty.
    int highest(arch::apic::Register set) const {
        for (int i = 7; i >= 0; --i) {
            if (const u32 bits = get(set + static_cast<u32>(i) * 16); bits != 0) return i * 32 + 31 - std::countl_zero(bits);
        }
        return -1;
    }

    PostedInterrupts& edges() { return edges_; }
    const PostedInterrupts& edges() const { return edges_; }
    PostedInterrupts& levels() { return levels_; }
    const PostedInterrupts& levels() const { return levels_; }

private:
    static constexpr u32 place(arch::apic::Register set, u8 vector) { return set + vector / 32 * 16u; }

    std::array<u32, 0xf80 / 4> words_{};
    PostedInterrupts levels_, edges_;
};
static_assert(sizeof(ApicPage) == 4096 && sizeof(PostedInterrupts) == 64);

}  // namespace px::hvm
