// The functions that the compiler calls by itself.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
    void* const result = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return result;
}

void* memset(void* to, int value, std::size_t size) {
    void* const result = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return result;
}

void* memmove(void* to, const void* from, std::size_t size) {
    auto* const target = static_cast<char*>(to);
    auto* const source = static_cast<const char*>(from);
    if (target <= source) return memcpy(to, from, size);
    while (size--) target[size] = source[size];
    return to;
}

int memcmp(const void* left, const void* right, std::size_t size) {
    auto* const a = static_cast<const unsigned char*>(left);
    auto* const b = static_cast<const unsigned char*>(right);
    for (std::size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return a[i] - b[i];
    }
    return 0;
}

void* memchr(const void* text, int byte, std::size_t size) {
    auto* const from = static_cast<const unsigned char*>(text);
    for (std::size_t i = 0; i < size; ++i) {
        if (from[i] == static_cast<unsigned char>(byte)) return const_cast<unsigned char*>(from + i);
    }
    return nullptr;
}

std::size_t strlen(const char* text) {
    std::size_t length = 0;
    while (text[length]) ++length;
    return length;
}

}  // extern "C"
