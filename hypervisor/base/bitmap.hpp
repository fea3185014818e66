// A set of the numbers 0 … N-1, one bit each.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <optional>
#include <span>

#include "hypervisor/base/types.hpp"

namespace px {

/// Numbers passed in must be below N. Not synchronised.
template <usize N>
class Bitmap {
    static_assert(N > 0);
    static constexpr usize word_bits = 64;
    static constexpr usize word_count = (N + word_bits - 1) / word_bits;

public:
    constexpr Bitmap() = default;
    static constexpr Bitmap all() {
        Bitmap result;
        result.words_.fill(~u64{0});
        result.trim();
        return result;
    }
    /// From words of 64 bits, lowest first; what lies beyond N is dropped, what is missing is 0.
    static constexpr Bitmap from_words(std::span<const u64> words) {
        Bitmap result;
        for (usize i = 0; i < word_count && i < words.size(); ++i) result.words_[i] = words[i];
        result.trim();
        return result;
    }

    static constexpr usize capacity() { return N; }
    constexpr bool test(usize bit) const { return (words_[bit / word_bits] >> (bit % word_bits)) & 1; }
    constexpr void set(usize bit) { words_[bit / word_bits] |= mask(bit); }
    constexpr void clear(usize bit) { words_[bit / word_bits] &= ~mask(bit); }
    constexpr void clear_all() { words_.fill(0); }

    constexpr bool empty() const {
        for (u64 word : words_) {
            if (word != 0) return false;
        }
        return true;
    }
    constexpr usize count() const {
        usize sum = 0;
        for (u64 word : words_) sum += static_cast<usize>(std::popcount(word));
        return sum;
    }

    /// The lowest member ≥ `from` (which may be N or more).
    constexpr std::optional<usize> find_next(usize from) const { return find(from, u64{0}); }
    constexpr std::optional<usize> find_first() const { return find_next(0); }
    /// The lowest number ≥ `from` that is not a member.
    constexpr std::optional<usize> find_next_clear(usize from) const {
        const auto bit = find(from, ~u64{0});
        return bit && *bit < N ? bit : std::nullopt;
    }
    constexpr std::optional<usize> find_first_clear() const { return find_next_clear(0); }

    constexpr Bitmap& operator|=(const Bitmap& other) {
        return combine(other, [](u64 a, u64 b) { return a | b; });
    }
    constexpr Bitmap& operator&=(const Bitmap& other) {
        return combine(other, [](u64 a, u64 b) { return a & b; });
    }
    /// Set difference.
    constexpr Bitmap& operator-=(const Bitmap& other) {
        return combine(other, [](u64 a, u64 b) { return a & ~b; });
    }
    friend constexpr Bitmap operator|(Bitmap a, const Bitmap& b) { return a |= b; }
    friend constexpr Bitmap operator&(Bitmap a, const Bitmap& b) { return a &= b; }
    friend constexpr Bitmap operator-(Bitmap a, const Bitmap& b) { return a -= b; }
    friend constexpr Bitmap operator~(const Bitmap& a) { return all() - a; }
    friend constexpr bool operator==(const Bitmap&, const Bitmap&) = default;
    constexpr bool is_subset_of(const Bitmap& other) const { return (*this - other).empty(); }
    constexpr bool intersects(const Bitmap& other) const { return !(*this & other).empty(); }

    constexpr std::span<const u64> words() const { return words_; }

    /// Members in rising order: `for (usize bit : bitmap)`.
    class Iterator {
    public:
        constexpr Iterator(const Bitmap& bitmap, std::optional<usize> bit) : bitmap_(&bitmap), bit_(bit) {}
        constexpr usize operator*() const { return *bit_; }
        constexpr Iterator& operator++() {
            bit_ = bitmap_->find_next(*bit_ + 1);
            return *this;
        }
        constexpr bool operator==(const Iterator& other) const { return bit_ == other.bit_; }

    private:
        const Bitmap* bitmap_;
        std::optional<usize> bit_;
    };
    constexpr Iterator begin() const { return {*this, find_first()}; }
    constexpr Iterator end() const { return {*this, std::nullopt}; }

private:
    static constexpr u64 mask(usize bit) { return u64{1} << (bit % word_bits); }
    constexpr void trim() {
        if constexpr (N % word_bits != 0) words_.back() &= (u64{1} << (N % word_bits)) - 1;
    }
    template <class Operation>
    constexpr Bitmap& combine(const Bitmap& other, Operation operation) {
        for (usize i = 0; i < word_count; ++i) words_[i] = operation(words_[i], other.words_[i]);
        return *this;
    }
    /// The lowest bit ≥ `from` that is set after XOR with `flip`; may lie beyond N when flipping.
    constexpr std::optional<usize> find(usize from, u64 flip) const {
        if (from >= N) return std::nullopt;
        u64 rest = (words_[from / word_bits] ^ flip) & (~u64{0} << (from % word_bits));
        for (usize word = from / word_bits;; rest = words_[word] ^ flip) {
            if (rest != 0) return word * word_bits + static_cast<usize>(std::countr_zero(rest));
            if (++word == word_count) return std::nullopt;
        }
    }

    std::array<u64, word_count> words_{};
};

}  // namespace px
