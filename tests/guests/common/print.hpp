// Text output of a tiny kernel: print("ports {} and {x}\n", a, b) to the console that this domain has.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <initializer_list>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::guest {

/// One argument of print: a signed or unsigned number, or text.
struct PrintArg {
    enum class Kind { number, negative, text } kind;
    u64 number = 0;
    std::string_view text;

    constexpr PrintArg(std::unsigned_integral auto value) : kind(Kind::number), number(value) {}
    constexpr PrintArg(std::signed_integral auto value)
        : kind(value < 0 ? Kind::negative : Kind::number), number(value < 0 ? u64{0} - static_cast<u64>(value) : value) {}
    constexpr PrintArg(std::string_view value) : kind(Kind::text), text(value) {}
    constexpr PrintArg(const char* value) : kind(Kind::text), text(value) {}
    PrintArg(const volatile void* address) : kind(Kind::number), number(reinterpret_cast<u64>(address)) {}
};

/// `{}` prints the next argument (numbers in decimal), `{x}` a number in hexadecimal with 0x. Safe with interrupts off and on APs.
void print_args(std::string_view format, std::initializer_list<PrintArg> args);

template <class... Args>
void print(std::string_view format, const Args&... args) {
    print_args(format, {PrintArg(args)...});
}

/// Raw bytes to the console; waits for room.
void console_write(std::string_view text);

/// Next byte typed at the console, or -1 when there is none.
int console_read();

}  // namespace px::guest
