// Little-endian numbers of a file.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <span>

#include "hypervisor/base/types.hpp"

namespace px::arch::microcode {

/// 0 where the file ends before.
template <class T>
T get(std::span<const u8> bytes, usize offset) {
    T value{};
    if (offset <= bytes.size() && sizeof value <= bytes.size() - offset) std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace px::arch::microcode
