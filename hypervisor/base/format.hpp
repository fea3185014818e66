// Type-safe text formatting into a caller's buffer: `{}`, `{:x}` (hex), `{:#x}` (with 0x), `{:08x}` (padded), `{:8}`.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px {

/// One argument of a format string, erased to a few kinds.
class FormatArg {
public:
    enum class Kind : u8 { unsigned_number, signed_number, text, character, truth, pointer };

    constexpr FormatArg(bool value) : kind_(Kind::truth), number_(value) {}
    constexpr FormatArg(char value) : kind_(Kind::character), number_(static_cast<u8>(value)) {}
    template <std::unsigned_integral T>
    constexpr FormatArg(T value) : kind_(Kind::unsigned_number), number_(value) {}
    template <std::signed_integral T>
    constexpr FormatArg(T value) : kind_(Kind::signed_number), number_(static_cast<u64>(i64{value})) {}
    template <class T>
    requires std::is_enum_v<T>
    constexpr FormatArg(T value) : FormatArg(static_cast<std::underlying_type_t<T>>(value)) {}
    template <class Tag, class Rep>
    constexpr FormatArg(Strong<Tag, Rep> value) : kind_(Kind::unsigned_number), number_(value.raw) {}
    constexpr FormatArg(std::string_view value) : kind_(Kind::text), number_(value.size()), text_(value.data()) {}
    constexpr FormatArg(const char* value) : FormatArg(std::string_view{value}) {}
    FormatArg(const void* value) : kind_(Kind::pointer), number_(reinterpret_cast<u64>(value)) {}

    Kind kind() const { return kind_; }
    u64 number() const { return number_; }
    std::string_view text() const { return {text_, static_cast<usize>(number_)}; }

private:
    Kind kind_;
    u64 number_;
    const char* text_ = nullptr;
};

/// Writes at most `out.size()` characters and no terminating NUL; returns how many were written. A surplus `{}` prints
/// `{?}`, surplus arguments are dropped: a bad format string never harms.
usize vformat(std::span<char> out, std::string_view format, std::span<const FormatArg> arguments);

template <class... Args>
usize format_to(std::span<char> out, std::string_view format, const Args&... args) {
    const FormatArg arguments[sizeof...(Args) + 1] = {FormatArg(args)..., FormatArg(0u)};
    return vformat(out, format, std::span(arguments, sizeof...(Args)));
}

}  // namespace px
