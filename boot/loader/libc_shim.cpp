// What Debian's static decompressor libraries want of a C library, for the hypervisor only.
//
// The linked parts of libz, liblzma, libzstd and liblz4 refer to no more than memcpy, memmove, memset, memcmp
// (the hypervisor's own) and the symbols below, and with lzma_crc64 here they bring no constructor;
// tests/unit/loader/freestanding_link.sh proves both. All working memory comes from the caller's Arena
// through the libraries' own hooks, so nothing that decompress() uses ever calls this malloc: refusing is
// both right and safe.
//
// The libraries are compiled with the stack protector, which compares the word at FS:0x28 on entry and exit
// of a function. Around decompress() the FS base points to a page of ours that doesn't change; a difference
// is a smashed stack.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/crc64.hpp"

extern "C" {

/// zstd's hooks for a tracer. Weak in the library; far from the image a weak symbol that stays undefined can't be named.
unsigned long long ZSTD_trace_decompress_begin(const void*) { return 0; }
void ZSTD_trace_decompress_end(unsigned long long, const void*) {}

void* malloc(px::usize) { return nullptr; }
void* calloc(px::usize, px::usize) { return nullptr; }
void free(void*) {}
[[noreturn]] void __stack_chk_fail() { __builtin_trap(); }

px::u64 lzma_crc64(const px::u8* bytes, px::usize size, px::u64 crc) { return px::loader::crc64({bytes, size}, crc); }
}
