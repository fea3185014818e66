// The compressors of the loader's tests: what Linux's build and the command line tools do, by the libraries.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lz4hc.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <stdexcept>

#include "boot/loader/decompress.hpp"
#include "tests/unit/loader/elf_builder.hpp"

namespace px::loader::test {

inline void must(bool condition) {
    if (!condition) throw std::runtime_error("a compressor failed");
}

inline Buffer gzip(const Buffer& plain) {
    z_stream stream{};
    must(deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    Buffer packed(deflateBound(&stream, plain.size()));
    stream.next_in = const_cast<u8*>(plain.data());
    stream.avail_in = static_cast<unsigned>(plain.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<unsigned>(packed.size());
    must(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// With the x86 filter and CRC32, as Linux does, and a dictionary of 128 MiB in the header.
inline Buffer xz(const Buffer& plain, lzma_check check = LZMA_CHECK_CRC32) {
    lzma_options_lzma options;
    lzma_lzma_preset(&options, 1);
    options.mf = LZMA_MF_HC3;
    lzma_filter filters[] = {{LZMA_FILTER_X86, nullptr}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
    Buffer packed(lzma_stream_buffer_bound(plain.size()));
    usize size = 0;
    must(lzma_stream_buffer_encode(filters, check, nullptr, plain.data(), plain.size(), packed.data(), &size, packed.size()) == LZMA_OK);
    packed.resize(size);
    return packed;
}

inline Buffer lzma(const Buffer& plain) {
    lzma_options_lzma options;
    lzma_lzma_preset(&options, 1);
    lzma_stream stream = LZMA_STREAM_INIT;
    must(lzma_alone_encoder(&stream, &options) == LZMA_OK);
    Buffer packed(plain.size() + 4096);
    stream.next_in = plain.data();
    stream.avail_in = plain.size();
    stream.next_out = packed.data();
    stream.avail_out = packed.size();
    must(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
    packed.resize(stream.total_out);
    lzma_end(&stream);
    return packed;
}

inline Buffer zstd(const Buffer& plain) {
    Buffer packed(ZSTD_compressBound(plain.size()));
    const auto size = ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3);
    must(!ZSTD_isError(size));
    packed.resize(size);
    return packed;
}

/// The legacy format: blocks of 8 MiB of plain bytes.
inline Buffer lz4(const Buffer& plain) {
    constexpr usize block = 8 << 20;
    Buffer packed;
    append_value(packed, u32{0x184c2102});
    for (usize at = 0; at < plain.size(); at += block) {
        const auto length = static_cast<int>(std::min(block, plain.size() - at));
        Buffer out(static_cast<usize>(LZ4_compressBound(length)));
        const int size = LZ4_compress_HC(reinterpret_cast<const char*>(&plain[at]), reinterpret_cast<char*>(out.data()), length,
                                         static_cast<int>(out.size()), 3);
        must(size > 0);
        append_value(packed, static_cast<u32>(size));
        append(packed, out.data(), static_cast<usize>(size));
    }
    return packed;
}

inline Buffer compress(Format format, const Buffer& plain) {
    switch (format) {
    case Format::elf: return plain;
    case Format::gzip: return gzip(plain);
    case Format::xz: return xz(plain);
    case Format::lzma: return lzma(plain);
    case Format::zstd: return zstd(plain);
    case Format::lz4: return lz4(plain);
    }
    throw std::logic_error("no such format");
}

}  // namespace px::loader::test
