// A vector of at most N elements, stored in place.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "hypervisor/base/result.hpp"
#include "hypervisor/console/log.hpp"

namespace px {

template <class T, usize N>
class StaticVector {
public:
    constexpr StaticVector() : none_{} {}
    StaticVector(const StaticVector& other) requires std::copy_constructible<T> { append(other); }
    StaticVector(StaticVector&& other) { append(std::move(other)); }
    StaticVector& operator=(const StaticVector& other) requires std::copy_constructible<T> {
        if (this != &other) {
            clear();
            append(other);
        }
        return *this;
    }
    StaticVector& operator=(StaticVector&& other) {
        if (this != &other) {
            clear();
            append(std::move(other));
        }
        return *this;
    }
    constexpr ~StaticVector() {
        if constexpr (!std::is_trivially_destructible_v<T>) clear();
    }

    static constexpr usize capacity() { return N; }
    usize size() const { return size_; }
    bool empty() const { return size_ == 0; }
    bool full() const { return size_ == N; }

    /// Fails with ENOSPC when full.
    template <class... Args>
    Result<> emplace_back(Args&&... args) {
        REQUIRE(!full(), enospc);
        std::construct_at(data() + size_, std::forward<Args>(args)...);
        ++size_;
        return {};
    }
    Result<> push_back(T value) { return emplace_back(std::move(value)); }
    void pop_back() {
        PX_ASSERT(!empty());
        std::destroy_at(data() + --size_);
    }
    /// Keeps the order of the others. O(n).
    void erase(usize index) {
        PX_ASSERT(index < size_);
        std::move(begin() + index + 1, end(), begin() + index);
        pop_back();
    }
    void clear() {
        std::destroy_n(data(), size_);
        size_ = 0;
    }

    T& operator[](usize index) {
        PX_ASSERT(index < size_);
        return data()[index];
    }
    const T& operator[](usize index) const {
        PX_ASSERT(index < size_);
        return data()[index];
    }
    T& back() { return (*this)[size_ - 1]; }

    T* data() { return items_; }
    const T* data() const { return items_; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    operator std::span<T>() { return {data(), size_}; }
    operator std::span<const T>() const { return {data(), size_}; }

private:
    template <class Other>
    void append(Other&& other) {
        for (auto& item : other) {
            if constexpr (std::is_rvalue_reference_v<Other&&>) std::construct_at(data() + size_, std::move(item));
            else std::construct_at(data() + size_, item);
            ++size_;
        }
    }

    usize size_ = 0;
    /// A union member is neither constructed nor destroyed by itself; only the first size_ items live.
    union {
        char none_;
        T items_[N];
    };
};

}  // namespace px
