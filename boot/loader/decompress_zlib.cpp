// gzip, by zlib.
//
// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include "boot/loader/decompress.hpp"

namespace px::loader::detail {
namespace {

constexpr int gzip_with_largest_window = 16 + MAX_WBITS;

void* allocate(void* arena, unsigned count, unsigned size) { return static_cast<Arena*>(arena)->allocate(usize{count} * size); }
void release(void* arena, void* piece) { static_cast<Arena*>(arena)->release(piece); }

Loaded<usize> result_of(int status, const z_stream& stream) {
    switch (status) {
    case Z_STREAM_END: return usize{stream.total_out};
    case Z_MEM_ERROR: return Err{LoadError::scratch_too_small};
    case Z_OK:
    case Z_BUF_ERROR: return Err{stream.avail_in == 0 ? LoadError::compressed_truncated : LoadError::output_too_small};
    default: return Err{LoadError::compressed_corrupt};
    }
}

}  // namespace

Loaded<usize> decompress_gzip(std::span<const u8> input, std::span<u8> output, Arena& scratch) {
    z_stream stream{};
    stream.zalloc = allocate;
    stream.zfree = release;
    stream.opaque = &scratch;
    stream.next_in = const_cast<u8*>(input.data());  // zlib only reads it
    stream.avail_in = static_cast<unsigned>(input.size());
    stream.next_out = output.data();
    stream.avail_out = static_cast<unsigned>(output.size());
    if (inflateInit2(&stream, gzip_with_largest_window) != Z_OK) return Err{LoadError::scratch_too_small};
    const int status = inflate(&stream, Z_FINISH);
    const auto result = result_of(status, stream);
    inflateEnd(&stream);
    return result;
}

}  // namespace px::loader::detail
