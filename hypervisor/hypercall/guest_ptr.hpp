// GuestPtr<T>: a pointer that the calling guest supplied. It can't be dereferenced, only copied from and to.
//
// Every read yields a copy of ours; read a structure once and work on the copy. Addresses are the *current* vCPU's:
// linear addresses translated by its own page tables, with its privileges.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "arch/guest_memory.hpp"
#include "hypervisor/abi/handle.hpp"
#include "hypervisor/base/result.hpp"

namespace px {

template <class T>
class GuestPtr {
public:
    explicit constexpr GuestPtr(u64 address) : address_(address) {}
    explicit constexpr GuestPtr(abi::GuestHandle<T> handle) : address_(handle.address) {}

    u64 address() const { return address_; }
    bool is_null() const { return address_ == 0; }
    GuestPtr at(u64 index) const { return GuestPtr(address_ + index * sizeof(T)); }

    /// Errors: efault.
    Result<T> read() const {
        static_assert(std::is_trivially_copyable_v<T>);
        T value;
        TRY(arch::copy_from_guest(&value, address_, sizeof(T)));
        return value;
    }
    Result<> write(const T& value) const {
        static_assert(std::is_trivially_copyable_v<T>);
        return arch::copy_to_guest(address_, &value, sizeof(T));
    }
    /// Writes one member, e.g. `pointer.write_field(&EvtchnAllocUnbound::port, op.port)`.
    template <class Class, class Member>
    Result<> write_field(Member Class::*member, const Member& value) const {
        static_assert(std::is_same_v<Class, T>);
        T probe{};
        const auto offset = reinterpret_cast<const char*>(&(probe.*member)) - reinterpret_cast<const char*>(&probe);
        return arch::copy_to_guest(address_ + static_cast<u64>(offset), &value, sizeof(Member));
    }
    Result<> read_many(T* to, usize count) const { return arch::copy_from_guest(to, address_, count * sizeof(T)); }
    Result<> write_many(const T* from, usize count) const { return arch::copy_to_guest(address_, from, count * sizeof(T)); }

private:
    u64 address_;
};

/// The untyped argument of a sub-operation as a pointer to its structure.
template <class T>
constexpr GuestPtr<T> guest_ptr(u64 argument) {
    return GuestPtr<T>(argument);
}

}  // namespace px
