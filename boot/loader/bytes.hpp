// Checked reads from untrusted little-endian bytes: no offset or size is believed, no sum can overflow.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstring>
#include <span>
#include <type_traits>

#include "boot/loader/errors.hpp"

namespace px::loader {

static_assert(std::endian::native == std::endian::little, "file structures are copied as they are");

/// `size` bytes from `offset`, or `if_short` if the bytes end before.
constexpr Loaded<std::span<const u8>> slice(std::span<const u8> bytes, u64 offset, u64 size, LoadError if_short) {
    if (offset > bytes.size() || size > bytes.size() - offset) return Err{if_short};
    return bytes.subspan(offset, size);
}

/// The T at `offset`, which needs no alignment, or `if_short` if the bytes end before it does.
template <class T>
requires std::is_trivially_copyable_v<T> Loaded<T> read_at(std::span<const u8> bytes, u64 offset, LoadError if_short) {
    const auto source = TRY(slice(bytes, offset, sizeof(T), if_short));
    T value;
    std::memcpy(&value, source.data(), sizeof(T));
    return value;
}

/// Whether the bytes begin with `magic`.
template <usize n>
constexpr bool starts_with(std::span<const u8> bytes, const u8 (&magic)[n]) {
    if (bytes.size() < n) return false;
    for (usize i = 0; i < n; ++i)
        if (bytes[i] != magic[i]) return false;
    return true;
}

}  // namespace px::loader
