// Counted references to an object that holds its own count.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <utility>

#include "hypervisor/base/types.hpp"

namespace px {

/// Base of T; begins with one reference. When the last is dropped, `T::last_reference_dropped()` is called.
template <class T>
class IntrusiveRefCount {
public:
    void get() { references_.fetch_add(1, std::memory_order_relaxed); }
    /// False where the object is on its way out already.
    bool try_get() {
        u32 count = references_.load(std::memory_order_relaxed);
        while (count != 0) {
            if (references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire)) return true;
        }
        return false;
    }
    void put() {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) static_cast<T*>(this)->last_reference_dropped();
    }
    u32 reference_count() const { return references_.load(std::memory_order_relaxed); }

private:
    std::atomic<u32> references_{1};
};

/// Holds one reference to a T, or nothing.
template <class T>
class Ref {
public:
    Ref() = default;
    /// Takes a new reference.
    explicit Ref(T& object) : object_(&object) { object.get(); }
    static Ref adopt(T& object) {
        Ref ref;
        ref.object_ = &object;
        return ref;
    }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_ != nullptr) object_->get();
    }
    Ref(Ref&& other) : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_ != nullptr) object_->put();
    }
    explicit operator bool() const { return object_ != nullptr; }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }
    T* get() const { return object_; }
    /// Hands the reference to the caller.
    T* release() { return std::exchange(object_, nullptr); }

private:
    T* object_ = nullptr;
};

}  // namespace px
