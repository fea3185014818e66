// CRC-64 as xz uses it: polynomial of ECMA-182, reflected.
//
// Debian's static liblzma picks its implementation in a constructor, and the hypervisor runs none;
// libc_shim.cpp puts this one in its place.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "hypervisor/base/types.hpp"

namespace px::loader {

inline constexpr auto crc64_table = [] {
    constexpr u64 polynomial = 0xc96c5795d7870f42;
    std::array<u64, 256> table{};
    for (u64 byte = 0; byte < table.size(); ++byte) {
        u64 value = byte;
        for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? polynomial : 0);
        table[byte] = value;
    }
    return table;
}();

/// Continues from `crc`, which is 0 at the beginning.
constexpr u64 crc64(std::span<const u8> bytes, u64 crc) {
    crc = ~crc;
    for (const u8 byte : bytes) crc = crc >> 8 ^ crc64_table[(crc ^ byte) & 0xff];
    return ~crc;
}

}  // namespace px::loader
