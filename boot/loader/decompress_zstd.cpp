// zstd, by libzstd's one-shot decoder: it needs no window, for the whole output is at hand.
//
// SPDX-License-Identifier: Apache-2.0
#define ZSTD_STATIC_LINKING_ONLY  // for decoders in memory of the caller
#include <zstd.h>
#include <zstd_errors.h>

#include "boot/loader/bytes.hpp"
#include "boot/loader/decompress.hpp"

namespace px::loader::detail {
namespace {

LoadError error_of(usize code) {
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_dstSize_tooSmall: return LoadError::output_too_small;
    case ZSTD_error_srcSize_wrong: return LoadError::compressed_truncated;
    case ZSTD_error_memory_allocation: return LoadError::scratch_too_small;
    default: return LoadError::compressed_corrupt;
    }
}

}  // namespace

usize zstd_scratch_size() { return ZSTD_estimateDCtxSize(); }

Loaded<usize> decompress_zstd(std::span<const u8> input, std::span<u8> output, Arena& scratch) {
    // Debian's library also decodes the formats of before zstd 0.8, with memory of its own choosing: never
    // let it.
    if (!starts_with(input, {0x28, 0xb5, 0x2f, 0xfd}))
        return Err{input.size() < 4 ? LoadError::compressed_truncated : LoadError::compressed_corrupt};
    const auto size = zstd_scratch_size();
    void* memory = scratch.allocate(size);
    ZSTD_DCtx* decoder = memory ? ZSTD_initStaticDCtx(memory, size) : nullptr;
    if (!decoder) return Err{LoadError::scratch_too_small};
    // Told its frame's exact size, the decoder doesn't take the bytes behind it for another frame.
    const auto frame = ZSTD_findFrameCompressedSize(input.data(), input.size());
    if (ZSTD_isError(frame)) return Err{error_of(frame)};
    const auto written = ZSTD_decompressDCtx(decoder, output.data(), output.size(), input.data(), frame);
    scratch.release(memory);
    if (ZSTD_isError(written)) return Err{error_of(written)};
    return written;
}

}  // namespace px::loader::detail
