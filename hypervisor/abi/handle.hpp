// GuestHandle: an address in the caller's address space, as it stands inside the ABI's structures.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

/// The address of a T (or an array of T) in the guest that filled the structure. It can't be dereferenced: whoever
/// wants the data copies it in, checked. T is a tag only and may be incomplete or void.
/// Layouts of this directory are those of 64-bit callers; hypercalls of 32-bit guests are not supported yet.
template <class T>
struct GuestHandle {
    using target = T;
    u64 address;

    constexpr bool is_null() const { return address == 0; }
};

}  // namespace px::abi
