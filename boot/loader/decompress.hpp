// Decompression of kernel images: one interface over zlib, liblzma, libzstd and liblz4.
//
// The same code runs in the toolstack and, once at boot, in the hypervisor. There the libraries are Debian's
// static ones, which were compiled for user space: the caller provides a stack of 64 KiB, interrupts off
// (they use the red zone), SSE enabled and, for the stack protector, an FS base at a page whose word at 0x28
// doesn't change (libc_shim.cpp).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "boot/loader/arena.hpp"
#include "boot/loader/errors.hpp"

namespace px::loader {

enum class Format : u8 { elf, gzip, xz, lzma, zstd, lz4 };

/// No kernel unpacks to more bytes than this.
inline constexpr usize max_unpacked_size = usize{1} << 30;

/// The format that the first bytes tell. Errors: bzip2_unsupported, lzo_unsupported, lz4_frame_unsupported,
/// not_a_kernel.
Loaded<Format> detect_format(std::span<const u8> bytes);

/// Bytes of scratch memory that are always enough to unpack `output_size` bytes. xz and lzma keep a
/// dictionary, which never needs to be larger than the output; the others need a fixed amount.
usize scratch_size(Format format, usize output_size);

/// Unpacks one stream of `input` into `output` and returns the number of bytes written. Bytes behind the
/// stream are ignored, except for lz4, whose legacy format knows no end but the input's. The output behind
/// the result may be overwritten, too. Errors: compressed_truncated, compressed_corrupt, output_too_small,
/// scratch_too_small; the output's content is undefined then. `format` is not elf.
Loaded<usize> decompress(Format format, std::span<const u8> input, std::span<u8> output, Arena& scratch);

/// The back ends, each in a file of its own; input and output are at most max_unpacked_size long.
namespace detail {
Loaded<usize> decompress_gzip(std::span<const u8> input, std::span<u8> output, Arena& scratch);
Loaded<usize> decompress_xz(std::span<const u8> input, std::span<u8> output, Arena& scratch);
Loaded<usize> decompress_lzma(std::span<const u8> input, std::span<u8> output, Arena& scratch);
Loaded<usize> decompress_zstd(std::span<const u8> input, std::span<u8> output, Arena& scratch);
Loaded<usize> decompress_lz4(std::span<const u8> input, std::span<u8> output);
usize zstd_scratch_size();
}  // namespace detail

}  // namespace px::loader
