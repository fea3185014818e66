// The hypervisor's heap of objects: make<T>() and Box<T>.
//
// Size classes on frames; counted by type, so that a leak has a name. Not callable from interrupt handlers.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <new>
#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px {

/// Raw memory, zeroed, aligned to 16 bytes (to a page from 2049 bytes on); nullptr when there is none.
void* heap_allocate(usize bytes);
/// `bytes` as given to heap_allocate. nullptr is allowed.
void heap_free(void* memory, usize bytes);

/// Live objects of one type. Registers itself with the first object.
struct HeapType {
    std::string_view name;
    std::atomic<i64> live{0};
    std::atomic<bool> registered{false};
    HeapType* next = nullptr;
};
void register_heap_type(HeapType& type);
/// Every type that ever had an object, in no order.
const HeapType* first_heap_type();

namespace detail {
template <class T>
constexpr std::string_view type_name() {
    std::string_view text = __PRETTY_FUNCTION__;
    const usize begin = text.find("T = ") + 4;
    const usize next = text.find(';', begin);  // g++ goes on with other names, clang doesn't
    return text.substr(begin, (next != text.npos ? next : text.rfind(']')) - begin);
}
template <class T>
inline constinit HeapType heap_type{type_name<T>()};

template <class T>
void count_object(i64 change) {
    HeapType& type = heap_type<T>;
    if (!type.registered.load(std::memory_order_relaxed)) register_heap_type(type);
    type.live.fetch_add(change, std::memory_order_relaxed);
}
}  // namespace detail

template <class T>
struct HeapDelete {
    void operator()(T* object) const {
        object->~T();
        detail::count_object<T>(-1);
        heap_free(object, sizeof(T));
    }
};

/// Sole owner of a heap object.
template <class T>
using Box = std::unique_ptr<T, HeapDelete<T>>;

/// A new T. Errors: enomem.
template <class T, class... Args>
Result<Box<T>> make(Args&&... args) {
    static_assert(alignof(T) <= 16 || sizeof(T) > 2048);
    void* memory = heap_allocate(sizeof(T));
    REQUIRE(memory != nullptr, enomem);
    detail::count_object<T>(1);
    return Box<T>(::new (memory) T(std::forward<Args>(args)...));
}

/// Sole owner of an array of trivial objects whose length is known at run time.
template <class T>
class HeapArray {
public:
    static_assert(std::is_trivially_destructible_v<T>);
    HeapArray() = default;
    /// Zeroed memory, then each element default-constructed. Errors: enomem.
    static Result<HeapArray> create(usize count) {
        REQUIRE(count <= (usize{1} << 40) / sizeof(T), enomem);
        HeapArray array;
        if (count == 0) return array;
        array.data_ = static_cast<T*>(heap_allocate(count * sizeof(T)));
        REQUIRE(array.data_ != nullptr, enomem);
        array.size_ = count;
        std::uninitialized_value_construct_n(array.data_, count);
        detail::count_object<T[]>(1);
        return array;
    }
    HeapArray(HeapArray&& other) : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    HeapArray& operator=(HeapArray&& other) {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~HeapArray() {
        if (data_ == nullptr) return;
        detail::count_object<T[]>(-1);
        heap_free(data_, size_ * sizeof(T));
    }
    usize size() const { return size_; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    T& operator[](usize index) { return data_[index]; }
    const T& operator[](usize index) const { return data_[index]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }

private:
    T* data_ = nullptr;
    usize size_ = 0;
};

}  // namespace px
