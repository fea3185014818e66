// lz4's legacy format (lz4 -l), which Linux uses: a magic number, then blocks of at most 8 MiB, each behind
// its compressed size.
//
// SPDX-License-Identifier: Apache-2.0
#include <lz4.h>

#include <algorithm>

#include "boot/loader/bytes.hpp"
#include "boot/loader/decompress.hpp"

namespace px::loader::detail {
namespace {

constexpr u32 magic = 0x184c2102;
constexpr usize block_size = 8 << 20;

/// Unpacks one block to the front of `output`.
Loaded<usize> unpack_block(std::span<const u8> block, std::span<u8> output) {
    const auto* source = reinterpret_cast<const char*>(block.data());
    auto* target = reinterpret_cast<char*>(output.data());
    const auto room = static_cast<int>(std::min(output.size(), block_size));
    const auto length = static_cast<int>(block.size());
    if (const int written = LZ4_decompress_safe(source, target, length, room); written >= 0) return static_cast<usize>(written);
    // liblz4 doesn't tell damage from a full output: whatever fills the output without fault was too long for
    // it.
    const bool too_long = output.size() < block_size && LZ4_decompress_safe_partial(source, target, length, room, room) == room;
    return Err{too_long ? LoadError::output_too_small : LoadError::compressed_corrupt};
}

}  // namespace

Loaded<usize> decompress_lz4(std::span<const u8> input, std::span<u8> output) {
    usize written = 0;
    for (usize in = 0; in < input.size();) {
        const u32 size = TRY(read_at<u32>(input, in, LoadError::compressed_truncated));
        in += sizeof size;
        if (size == magic) continue;
        if (size == 0 || size > LZ4_COMPRESSBOUND(block_size)) return Err{LoadError::compressed_corrupt};
        const auto block = TRY(slice(input, in, size, LoadError::compressed_truncated));
        written += TRY(unpack_block(block, output.subspan(written)));
        in += size;
    }
    return written;
}

}  // namespace px::loader::detail
