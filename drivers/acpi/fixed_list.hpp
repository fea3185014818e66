// An array that knows how much of it is used.
//
// Unlike StaticVector it is a literal type without constructor and destructor, so that the large results of
// table parsing are zeroed static memory, filled before there is a heap.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/types.hpp"

namespace px::acpi {

template <class T, usize Capacity>
class FixedList {
public:
    /// False when full.
    constexpr bool push(const T& item) {
        if (size_ == Capacity) return false;
        items_[size_++] = item;
        return true;
    }
    constexpr void clear() { size_ = 0; }
    constexpr usize size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    /// `index` < size().
    constexpr const T& operator[](usize index) const { return items_[index]; }
    constexpr const T* begin() const { return items_.data(); }
    constexpr const T* end() const { return items_.data() + size_; }

private:
    std::array<T, Capacity> items_{};
    usize size_ = 0;
};

}  // namespace px::acpi
