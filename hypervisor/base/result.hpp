// Errors are values: Result<T> holds a T or an error, and can't be ignored.
//
// Policy: a function that can fail returns Result<T>; a broken promise between two functions of ours is a PX_ASSERT
// or a panic, never an error value; guest-supplied values only ever lead to error values. TRY(expression) yields the
// value or returns the error to the caller. The errno of the ABI is made at one place (the hypercall boundary).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "hypervisor/base/types.hpp"

namespace px {

/// Error numbers of the ABI (positive here, negative in a guest's register) [xen/public errno.h].
enum class Errno : int {
    eperm = 1,
    enoent = 2,
    esrch = 3,
    eintr = 4,
    eio = 5,
    enxio = 6,
    e2big = 7,
    enoexec = 8,
    ebadf = 9,
    echild = 10,
    eagain = 11,
    enomem = 12,
    eacces = 13,
    efault = 14,
    ebusy = 16,
    eexist = 17,
    exdev = 18,
    enodev = 19,
    enotdir = 20,
    eisdir = 21,
    einval = 22,
    enfile = 23,
    emfile = 24,
    enospc = 28,
    erofs = 30,
    emlink = 31,
    edom = 33,
    erange = 34,
    edeadlk = 35,
    enametoolong = 36,
    enolck = 37,
    enosys = 38,
    enotempty = 39,
    enodata = 61,
    etime = 62,
    ebadmsg = 74,
    eoverflow = 75,
    eilseq = 84,
    erestart = 85,
    eusers = 87,
    enotsock = 88,
    emsgsize = 90,
    eopnotsupp = 95,
    eaddrinuse = 98,
    eaddrnotavail = 99,
    enobufs = 105,
    eisconn = 106,
    enotconn = 107,
    etimedout = 110,
    econnrefused = 111,
};

/// An error on its way into a Result: `return Err{Errno::einval};`
template <class E>
struct Err {
    E error;
};
template <class E>
Err(E) -> Err<E>;

template <class T = void, class E = Errno>
class [[nodiscard]] Result;

/// What a Result holds. Trivial where value and error are: then it travels in registers.
template <class T, class E>
struct ResultStorage {
    constexpr ResultStorage(T&& value) : ok_(true), value_(std::move(value)) {}
    constexpr ResultStorage(Err<E>&& failure) : ok_(false), error_(std::move(failure.error)) {}
    constexpr ResultStorage(const ResultStorage& other) requires std::copy_constructible<T> && std::copy_constructible<E> : ok_(other.ok_) {
        construct(other);
    }
    constexpr ResultStorage(ResultStorage&& other) : ok_(other.ok_) { construct(std::move(other)); }
    constexpr ResultStorage& operator=(const ResultStorage& other) requires std::copy_constructible<T> && std::copy_constructible<E> {
        if (this != &other) {
            destroy();
            ok_ = other.ok_;
            construct(other);
        }
        return *this;
    }
    constexpr ResultStorage& operator=(ResultStorage&& other) {
        if (this != &other) {
            destroy();
            ok_ = other.ok_;
            construct(std::move(other));
        }
        return *this;
    }
    constexpr ~ResultStorage() { destroy(); }

    template <class Other>
    constexpr void construct(Other&& other) {
        if (ok_) std::construct_at(&value_, std::forward<Other>(other).value_);
        else std::construct_at(&error_, std::forward<Other>(other).error_);
    }
    constexpr void destroy() {
        if (ok_) value_.~T();
        else error_.~E();
    }

    bool ok_;
    union {
        T value_;
        E error_;
    };
};

template <class T, class E>
requires std::is_trivially_copyable_v<T> && std::is_trivially_copyable_v<E>
struct ResultStorage<T, E> {
    constexpr ResultStorage(T&& value) : ok_(true), value_(std::move(value)) {}
    constexpr ResultStorage(Err<E>&& failure) : ok_(false), error_(std::move(failure.error)) {}

    bool ok_;
    union {
        T value_;
        E error_;
    };
};

template <class T, class E>
class [[nodiscard]] Result : private ResultStorage<T, E> {
    using Storage = ResultStorage<T, E>;

public:
    using value_type = T;
    using error_type = E;

    constexpr Result(T value) : Storage(std::move(value)) {}
    template <class F>
    requires std::convertible_to<F, E>
    constexpr Result(Err<F> failure) : Storage(Err<E>{std::move(failure.error)}) {}

    constexpr bool ok() const { return this->ok_; }
    constexpr explicit operator bool() const { return this->ok_; }
    /// Only when ok().
    constexpr T& value() & { return this->value_; }
    constexpr const T& value() const& { return this->value_; }
    constexpr T&& value() && { return std::move(this->value_); }
    constexpr T& operator*() & { return this->value_; }
    constexpr const T& operator*() const& { return this->value_; }
    constexpr T* operator->() { return &this->value_; }
    constexpr const T* operator->() const { return &this->value_; }
    /// Only when not ok().
    constexpr const E& error() const { return this->error_; }
    constexpr T value_or(T fallback) const { return this->ok_ ? this->value_ : std::move(fallback); }
};

template <class E>
class [[nodiscard]] Result<void, E> {
public:
    using value_type = void;
    using error_type = E;

    constexpr Result() : ok_(true), error_{} {}
    template <class F>
    requires std::convertible_to<F, E>
    constexpr Result(Err<F> failure) : ok_(false), error_(std::move(failure.error)) {}

    constexpr bool ok() const { return ok_; }
    constexpr explicit operator bool() const { return ok_; }
    constexpr void value() const {}
    /// Only when not ok().
    constexpr const E& error() const { return error_; }

private:
    bool ok_;
    E error_;
};

}  // namespace px

/// The value of a Result, or return its error from the enclosing function. A statement expression (GNU, g++ and clang).
#define TRY(...)                               \
    ({                                         \
        auto&& px_try_ = (__VA_ARGS__);        \
        if (!px_try_.ok()) [[unlikely]]        \
            return ::px::Err{px_try_.error()}; \
        std::move(px_try_).value();            \
    })

/// Return an errno from the enclosing function unless `condition` holds.
#define REQUIRE(condition, errno_name)                 \
    do {                                               \
        if (!(condition)) [[unlikely]]                 \
            return ::px::Err{::px::Errno::errno_name}; \
    } while (false)
