// Owners of what the kernel hands out: file descriptors and mappings.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "hypervisor/base/types.hpp"

namespace px::call {

class Fd {
public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Fd() {
        if (number_ >= 0) close(number_);
    }

    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }
    void reset() { Fd().swap(*this); }
    void swap(Fd& other) { std::swap(number_, other.number_); }

private:
    int number_ = -1;
};

/// Pages mapped into this process.
class Mapping {
public:
    Mapping() = default;
    Mapping(void* address, usize bytes) : address_(address), bytes_(bytes) {}
    Mapping(Mapping&& other) noexcept : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(address_, other.address_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Mapping() {
        if (address_) munmap(address_, bytes_);
    }

    template <class T = void>
    T* as() const {
        return static_cast<T*>(address_);
    }
    usize size_bytes() const { return bytes_; }
    explicit operator bool() const { return address_ != nullptr; }

private:
    void* address_ = nullptr;
    usize bytes_ = 0;
};

}  // namespace px::call
