// What compiled code expects of a C library, and the constructors of globals.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/runtime.hpp"

#include <cstddef>

#include "hypervisor/base/types.hpp"

extern "C" {

/// Destructors of globals never run: the hypervisor doesn't end.
void* __dso_handle = nullptr;
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
[[noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }

void* memcpy(void* to, const void* from, std::size_t bytes) {
    void* const result = to;
    std::size_t words = bytes / 8, rest = bytes % 8;
    if (words > 16) {
        asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    } else {
        // Short copies: the start-up of a string instruction costs more than the loop.
        const auto* source = static_cast<const px::u8*>(from);
        auto* target = static_cast<px::u8*>(to);
        for (; words > 0; --words, source += 8, target += 8) {
            px::u64 word;
            __builtin_memcpy(&word, source, 8);
            __builtin_memcpy(target, &word, 8);
        }
        from = source;
        to = target;
    }
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest)::"memory");
    return result;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
    if (static_cast<px::u8*>(to) - static_cast<const px::u8*>(from) < 0 ||
        static_cast<const px::u8*>(from) + bytes <= static_cast<px::u8*>(to)) {
        return memcpy(to, from, bytes);
    }
    void* target = static_cast<px::u8*>(to) + bytes - 1;
    const void* source = static_cast<const px::u8*>(from) + bytes - 1;
    asm volatile("std; rep movsb; cld" : "+D"(target), "+S"(source), "+c"(bytes)::"memory");
    return to;
}

void* memset(void* to, int value, std::size_t bytes) {
    void* target = to;
    std::size_t words = bytes / 8, rest = bytes % 8;
    const px::u64 pattern = px::u64{0x0101010101010101} * static_cast<px::u8>(value);
    asm volatile("rep stosq" : "+D"(target), "+c"(words) : "a"(pattern) : "memory");
    asm volatile("rep stosb" : "+D"(target), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void* a, const void* b, std::size_t bytes) {
    const auto* left = static_cast<const px::u8*>(a);
    const auto* right = static_cast<const px::u8*>(b);
    for (std::size_t i = 0; i < bytes; ++i) {
        if (left[i] != right[i]) return left[i] - right[i];
    }
    return 0;
}

std::size_t strlen(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0') ++length;
    return length;
}

void* memchr(const void* memory, int value, std::size_t bytes) {
    const auto* at = static_cast<const px::u8*>(memory);
    for (std::size_t i = 0; i < bytes; ++i) {
        if (at[i] == static_cast<px::u8>(value)) return const_cast<px::u8*>(at + i);
    }
    return nullptr;
}

int __popcountdi2(unsigned long value) {
    value -= value >> 1 & 0x5555555555555555;
    value = (value & 0x3333333333333333) + (value >> 2 & 0x3333333333333333);
    value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return static_cast<int>(value * 0x0101010101010101 >> 56);
}

extern void (*const constructors_start[])();
extern void (*const constructors_end[])();

}  // extern "C"

namespace std {
// What the header-only library calls where an index or a length is out of range: a bug of ours.
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) { __builtin_trap(); }
[[noreturn]] void __throw_length_error(const char*) { __builtin_trap(); }
[[noreturn]] void __throw_bad_optional_access() { __builtin_trap(); }
[[noreturn]] void __throw_bad_function_call() { __builtin_trap(); }
}  // namespace std

namespace px::arch {

void run_constructors() {
    for (auto constructor = constructors_start; constructor != constructors_end; ++constructor) (*constructor)();
}

}  // namespace px::arch
