// Whether a ramdisk is whole.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/ramdisk.hpp"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

namespace px::builder {

using call::Error;
using call::Outcome;

namespace {

using Bytes = std::span<const u8>;

enum class Flaw : u8 { none, truncated, corrupt };

/// How an archive at the front of some bytes ends.
struct End {
    usize size = 0;  ///< its bytes, where it has no flaw
    Flaw flaw = Flaw::none;
};

/// Nothing: it can't be judged, for lack of memory or of a feature of the library.
using Walk = std::optional<End> (*)(Bytes);

/// What is unpacked is looked at by nobody.
struct Sink {
    std::vector<u8> bytes = std::vector<u8>(256 * 1024);
};

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// cpio's newc format: headers of 110 characters, whose numbers have eight hexadecimal digits; name and content are each
/// followed by zeros up to a multiple of 4 [cpio(5)].
namespace cpio {
constexpr usize header_size = 110, size_at = 54, name_size_at = 94, digits = 8;
constexpr std::string_view last_name = "TRAILER!!!";

std::optional<usize> number(Bytes header, usize at) {
    const std::string_view text = text_of(header.subspan(at, digits));
    usize value = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value, 16);
    if (error != std::errc() || end != text.end()) return std::nullopt;
    return value;
}

std::optional<End> walk(Bytes bytes) {
    constexpr End truncated{0, Flaw::truncated}, corrupt{0, Flaw::corrupt};
    for (usize at = 0;;) {
        const Bytes rest = bytes.subspan(std::min(at, bytes.size()));
        if (rest.size() < header_size) return truncated;
        if (const auto magic = text_of(rest.first(6)); magic != "070701" && magic != "070702") return corrupt;
        const auto size = number(rest, size_at), name_size = number(rest, name_size_at);
        if (!size || !name_size || *name_size == 0) return corrupt;
        const usize content = align_up<usize>(header_size + *name_size, 4);
        const usize end = content + align_up<usize>(*size, 4);
        if (header_size + *name_size > rest.size()) return truncated;
        if (text_of(rest.subspan(header_size, *name_size - 1)) == last_name) return End{std::min(at + end, bytes.size())};
        if (content + *size > rest.size()) return truncated;
        at += end;
    }
}
}  // namespace cpio

std::optional<End> walk_gzip(Bytes bytes) {
    Sink sink;
    z_stream stream{};
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return std::nullopt;
    const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
    int status = Z_OK;
    for (usize given = 0; status == Z_OK;) {
        if (stream.avail_in == 0) {
            if (given == bytes.size()) return End{0, Flaw::truncated};
            stream.next_in = const_cast<u8*>(bytes.data() + given);  // zlib only reads it
            stream.avail_in = static_cast<uInt>(std::min<usize>(bytes.size() - given, 1 << 30));
            given += stream.avail_in;
        }
        stream.next_out = sink.bytes.data();
        stream.avail_out = static_cast<uInt>(sink.bytes.size());
        status = inflate(&stream, Z_NO_FLUSH);
    }
    if (status == Z_STREAM_END) return End{stream.total_in};
    if (status == Z_MEM_ERROR) return std::nullopt;
    return End{0, Flaw::corrupt};
}

std::optional<End> walk_xz(Bytes bytes) {
    constexpr u64 most_memory = u64{1} << 30;
    Sink sink;
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, most_memory, 0) != LZMA_OK) return std::nullopt;
    const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> owner(&stream, lzma_end);
    stream.next_in = bytes.data();
    stream.avail_in = bytes.size();
    lzma_ret status = LZMA_OK;
    while (status == LZMA_OK) {
        stream.next_out = sink.bytes.data();
        stream.avail_out = sink.bytes.size();
        status = lzma_code(&stream, LZMA_FINISH);
    }
    switch (status) {
    case LZMA_STREAM_END: return End{stream.total_in};
    case LZMA_BUF_ERROR: return End{0, Flaw::truncated};
    case LZMA_FORMAT_ERROR:
    case LZMA_DATA_ERROR: return End{0, Flaw::corrupt};
    default: return std::nullopt;
    }
}

std::optional<End> walk_zstd(Bytes bytes) {
    Sink sink;
    const std::unique_ptr<ZSTD_DStream, usize (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
    if (!stream) return std::nullopt;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
        ZSTD_outBuffer out{sink.bytes.data(), sink.bytes.size(), 0};
        const usize before = in.pos, status = ZSTD_decompressStream(stream.get(), &out, &in);
        if (status == 0) return End{in.pos};
        if (ZSTD_isError(status)) {
            // The library's name for a window that it won't allocate; its codes are no part of its stable interface.
            if (std::string_view(ZSTD_getErrorName(status)).find("memory") != std::string_view::npos) return std::nullopt;
            return End{0, Flaw::corrupt};
        }
        if (in.pos == before && out.pos == 0) return End{0, Flaw::truncated};
    }
}

/// Blocks of up to 8 MiB, each behind its packed size; there is no mark of the end [lz4 doc/lz4_Frame_format.md, legacy].
std::optional<End> walk_lz4(Bytes bytes) {
    constexpr usize block = 8 << 20, word = 4;
    constexpr u32 magic = 0x184c2102;
    std::vector<char> sink(block);
    usize at = word;
    while (at < bytes.size()) {
        const Bytes rest = bytes.subspan(at);
        if (std::ranges::all_of(rest.first(std::min(rest.size(), word)), [](u8 byte) { return byte == 0; })) break;  // padding
        if (rest.size() < word) return End{0, Flaw::truncated};
        u32 size;
        std::memcpy(&size, rest.data(), word);
        at += word;
        if (size == magic) continue;  // another stream behind this one
        if (size > static_cast<u32>(LZ4_COMPRESSBOUND(block))) return End{0, Flaw::corrupt};
        if (size > rest.size() - word) return End{0, Flaw::truncated};
        const auto* packed = reinterpret_cast<const char*>(rest.data() + word);
        if (LZ4_decompress_safe(packed, sink.data(), static_cast<int>(size), static_cast<int>(block)) < 0) return End{0, Flaw::corrupt};
        at += size;
    }
    return End{at};
}

struct Format {
    std::string_view magic, name;
    Walk walk;
};

using namespace std::string_view_literals;
constexpr Format formats[] = {
    {"070701", "cpio archive", cpio::walk},
    {"070702", "cpio archive", cpio::walk},
    {"\x1f\x8b", "gzip stream", walk_gzip},
    {"\xfd"
     "7zXZ\0"sv,
     "xz stream", walk_xz},
    {"\x28\xb5\x2f\xfd", "zstd stream", walk_zstd},
    {"\x02\x21\x4c\x18", "lz4 stream", walk_lz4},
};

}  // namespace

Outcome<> check_ramdisk(Bytes ramdisk) {
    for (usize at = 0; at < ramdisk.size();) {
        const Bytes rest = ramdisk.subspan(at);
        if (rest[0] == 0) {
            ++at;
            continue;
        }
        const auto format = std::ranges::find_if(formats, [&](const Format& entry) { return text_of(rest).starts_with(entry.magic); });
        if (format == std::end(formats)) return {};
        const auto end = format->walk(rest);
        if (!end) return {};
        if (end->flaw != Flaw::none) {
            const std::string what = "the " + std::string(format->name) + " that begins at byte " + std::to_string(at);
            const bool cut = end->flaw == Flaw::truncated;
            return Err{Error{ENOEXEC, cut ? "the file is truncated: it ends inside " + what : what + " is damaged"}};
        }
        at += end->size;
    }
    return {};
}

}  // namespace px::builder
