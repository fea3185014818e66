// Unpacks standard input to standard output with no C library, as the hypervisor does: the working set-up of
// libc_shim.cpp is an FS base at a page of zeros. Exit status 0, or 1 + LoadError.
//
// SPDX-License-Identifier: Apache-2.0
#include <asm/prctl.h>
#include <asm/unistd.h>

#include "boot/loader/payload.hpp"

using namespace px;

namespace {

long system_call(long number, u64 a, u64 b = 0, u64 c = 0) {
    long result;
    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

constinit u8 input[16 << 20], output[16 << 20], scratch_memory[17 << 20];
alignas(page_size) constinit u8 canary_page[page_size];

int run() {
    usize size = 0;
    for (long got; size < sizeof input; size += static_cast<usize>(got)) {
        got = system_call(__NR_read, 0, reinterpret_cast<u64>(input + size), sizeof input - size);
        if (got <= 0) break;
    }
    const auto payload = loader::find_payload({input, size});
    if (!payload.ok()) return 1 + static_cast<int>(payload.error());
    loader::Arena scratch{scratch_memory};
    const auto elf = loader::unpack(payload.value(), output, scratch);
    if (!elf.ok()) return 1 + static_cast<int>(elf.error());
    system_call(__NR_write, 1, reinterpret_cast<u64>(elf.value().data()), elf.value().size());
    return 0;
}

}  // namespace

extern "C" {

// The hypervisor's base has these; slow ones do here. The volatile pointers keep the compiler from seeing
// memcpy in memcpy.
void* memmove(void* to, const void* from, usize size) {
    auto* out = static_cast<volatile u8*>(to);
    const auto* in = static_cast<const volatile u8*>(from);
    if (out < in)
        for (usize i = 0; i < size; ++i) out[i] = in[i];
    else
        while (size-- > 0) out[size] = in[size];
    return to;
}
void* memcpy(void* to, const void* from, usize size) { return memmove(to, from, size); }
void* memset(void* to, int value, usize size) {
    for (usize i = 0; i < size; ++i) static_cast<volatile u8*>(to)[i] = static_cast<u8>(value);
    return to;
}
const void* find_byte(const void* memory, int value, usize size) asm("memchr");
const void* find_byte(const void* memory, int value, usize size) {
    const auto* at = static_cast<const u8*>(memory);
    for (; size != 0; ++at, --size) {
        if (*at == static_cast<u8>(value)) return at;
    }
    return nullptr;
}
int memcmp(const void* left, const void* right, usize size) {
    const auto* a = static_cast<const volatile u8*>(left);
    const auto* b = static_cast<const volatile u8*>(right);
    for (usize i = 0; i < size; ++i)
        if (const int difference = a[i] - b[i]) return difference;
    return 0;
}

[[noreturn, gnu::force_align_arg_pointer]] void _start() {
    system_call(__NR_arch_prctl, ARCH_SET_FS, reinterpret_cast<u64>(canary_page));
    const int status = run();
    for (;;) system_call(__NR_exit_group, static_cast<u64>(status));
}
}
