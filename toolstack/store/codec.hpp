// Values as bytes and back, for what outlives a process.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstring>
#include <string>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::store {

/// Numbers in the byte order of the machine: what is written never leaves it.
class Encoder {
public:
    template <std::unsigned_integral T>
    void number(T value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view bytes) {
        number(static_cast<u32>(bytes.size()));
        bytes_.append(bytes);
    }
    /// Bytes whose length is known otherwise.
    void raw(std::string_view bytes) { bytes_.append(bytes); }
    const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

/// Reads what an Encoder wrote. What is malformed reads as zeros and empty texts, and ok() is false from then
/// on.
class Decoder {
public:
    explicit Decoder(std::string_view bytes) : rest_(bytes) {}

    template <std::unsigned_integral T>
    T number() {
        T value = 0;
        std::string_view bytes = take(sizeof value);
        if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::string_view text() { return take(number<u32>()); }
    /// How many things follow, of which each takes a byte at least.
    u32 count() {
        u32 count = number<u32>();
        if (count > rest_.size()) fail();
        return ok_ ? count : 0;
    }
    /// What nobody has read yet.
    std::string_view rest() { return take(rest_.size()); }
    /// Was everything well formed so far? fail() says that it wasn't.
    bool ok() const { return ok_; }
    void fail() {
        ok_ = false;
        rest_ = {};
    }
    bool finished() const { return ok_ && rest_.empty(); }

private:
    std::string_view take(usize count) {
        if (count > rest_.size()) fail();
        if (!ok_) return {};
        std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace px::store
