// Which decompressor, and how much memory it may need.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/decompress.hpp"

#include <algorithm>

#include "boot/loader/bytes.hpp"

namespace px::loader {

Loaded<Format> detect_format(std::span<const u8> bytes) {
    if (starts_with(bytes, {0x7f, 'E', 'L', 'F'})) return Format::elf;
    if (starts_with(bytes, {0x1f, 0x8b})) return Format::gzip;
    if (starts_with(bytes, {0xfd, '7', 'z', 'X', 'Z', 0})) return Format::xz;
    if (starts_with(bytes, {0x28, 0xb5, 0x2f, 0xfd})) return Format::zstd;
    if (starts_with(bytes, {0x02, 0x21, 0x4c, 0x18})) return Format::lz4;
    // Not a magic number but the default properties (lc=3, lp=0, pb=2) and a dictionary of at least 64 KiB.
    if (starts_with(bytes, {0x5d, 0, 0})) return Format::lzma;
    if (starts_with(bytes, {'B', 'Z', 'h'})) return Err{LoadError::bzip2_unsupported};
    if (starts_with(bytes, {0x89, 'L', 'Z', 'O'})) return Err{LoadError::lzo_unsupported};
    if (starts_with(bytes, {0x04, 0x22, 0x4d, 0x18})) return Err{LoadError::lz4_frame_unsupported};
    return Err{LoadError::not_a_kernel};
}

usize scratch_size(Format format, usize output_size) {
    constexpr usize decoder_state = 256 << 10;  // of zlib (with its window of 32 KiB) and of liblzma, generously
    switch (format) {
    case Format::elf:
    case Format::lz4: return 0;
    case Format::gzip: return decoder_state;
    case Format::zstd: return detail::zstd_scratch_size() + 64;
    case Format::xz:
    case Format::lzma: return std::min(output_size, max_unpacked_size) + decoder_state;
    }
    return 0;
}

Loaded<usize> decompress(Format format, std::span<const u8> input, std::span<u8> output, Arena& scratch) {
    // The libraries count in 32 bits here and there; a longer input can't be a kernel, and a longer output
    // isn't needed.
    if (input.size() > max_unpacked_size) return Err{LoadError::unpacked_size_absurd};
    if (output.empty()) return Err{LoadError::output_too_small};  // its pointer may be null, which zlib refuses
    output = output.first(std::min(output.size(), max_unpacked_size));
    switch (format) {
    case Format::gzip: return detail::decompress_gzip(input, output, scratch);
    case Format::xz: return detail::decompress_xz(input, output, scratch);
    case Format::lzma: return detail::decompress_lzma(input, output, scratch);
    case Format::zstd: return detail::decompress_zstd(input, output, scratch);
    case Format::lz4: return detail::decompress_lz4(input, output);
    case Format::elf: break;
    }
    return Err{LoadError::not_a_kernel};
}

}  // namespace px::loader
