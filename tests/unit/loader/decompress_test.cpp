// Decompression: round trips, and every way in which a stream can be cut, damaged, too long or too hungry.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "boot/loader/crc64.hpp"
#include "tests/unit/loader/compressors.hpp"

namespace px::loader::test {
namespace {

Loaded<usize> unpack_into(Format format, const Buffer& packed, Buffer& output, usize scratch_bytes) {
    Buffer memory(scratch_bytes);
    Arena scratch{memory};
    return decompress(format, packed, output, scratch);
}
Loaded<usize> unpack_into(Format format, const Buffer& packed, Buffer& output) {
    return unpack_into(format, packed, output, scratch_size(format, output.size()));
}

class DecompressTest : public testing::TestWithParam<Format> {
protected:
    const Format format = GetParam();
};

TEST_P(DecompressTest, GivesBackWhatWasPacked) {
    for (const usize size : {usize{1}, usize{4096}, usize{300'000}, usize{9} << 20}) {
        const auto plain = sample_bytes(size);
        const auto packed = compress(format, plain);
        ASSERT_EQ(detect_format(packed).value(), format);
        Buffer output(size);
        const auto result = unpack_into(format, packed, output);
        ASSERT_TRUE(result.ok()) << size << ": " << describe(result.error());
        ASSERT_EQ(result.value(), size);
        ASSERT_EQ(output, plain) << size;
    }
}

TEST_P(DecompressTest, RefusesATooSmallOutput) {
    const auto plain = sample_bytes(100'000);
    const auto packed = compress(format, plain);
    for (const usize size : {usize{0}, usize{1}, usize{50'000}, plain.size() - 1}) {
        Buffer output(size);
        const auto result = unpack_into(format, packed, output);
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error(), LoadError::output_too_small) << size;
    }
}

TEST_P(DecompressTest, NamesATruncatedStream) {
    const auto plain = sample_bytes(30'000);
    const auto packed = compress(format, plain);
    Buffer output(plain.size());
    for (usize length = 0; length < packed.size(); length += length < 64 || packed.size() - length < 64 ? 1 : 97) {
        const auto result = unpack_into(format, {packed.begin(), packed.begin() + static_cast<long>(length)}, output);
        if (result.ok()) {
            // lz4's legacy format has no end mark: only whole blocks, or nothing, can pass.
            ASSERT_EQ(format, Format::lz4) << length;
            ASSERT_LE(length, 4u);
            continue;
        }
        ASSERT_EQ(result.error(), LoadError::compressed_truncated) << length << ": " << describe(result.error());
    }
}

TEST_P(DecompressTest, SurvivesDamage) {
    const auto plain = sample_bytes(20'000);
    const auto packed = compress(format, plain);
    Buffer output(plain.size());
    std::mt19937 random{1};
    const bool has_checksum = format == Format::gzip || format == Format::xz;
    for (int round = 0; round < 2000; ++round) {
        auto damaged = packed;
        // Behind gzip's header, of which only parts are checked.
        const usize at = 10 + random() % (packed.size() - 10);
        damaged[at] ^= static_cast<u8>(1u << random() % 8);
        const auto result = unpack_into(format, damaged, output);
        if (!result.ok()) continue;
        ASSERT_LE(result.value(), output.size());
        if (has_checksum) { ASSERT_EQ(output, plain) << "bit flip in byte " << at << " of " << packed.size(); }
    }
}

TEST_P(DecompressTest, KeepsToItsScratchMemory) {
    if (format == Format::lz4) GTEST_SKIP() << "lz4 needs no scratch memory";
    const auto plain = sample_bytes(100'000);
    const auto packed = compress(format, plain);
    Buffer output(plain.size());
    for (const usize size : {usize{0}, usize{64}, usize{4096}}) {
        const auto result = unpack_into(format, packed, output, size);
        ASSERT_FALSE(result.ok()) << size;
        EXPECT_EQ(result.error(), LoadError::scratch_too_small) << size;
    }
}

std::string name_of(const testing::TestParamInfo<Format>& info) {
    constexpr const char* names[] = {"elf", "gzip", "xz", "lzma", "zstd", "lz4"};
    return names[static_cast<u8>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(AllFormats, DecompressTest, testing::Values(Format::gzip, Format::xz, Format::lzma, Format::zstd, Format::lz4),
                         name_of);

TEST(Decompress, IgnoresWhatFollowsTheStream) {
    const auto plain = sample_bytes(5000);
    for (const auto format : {Format::gzip, Format::xz, Format::lzma, Format::zstd}) {
        auto packed = compress(format, plain);
        append(packed, "tail", 4);
        Buffer output(plain.size());
        EXPECT_EQ(unpack_into(format, packed, output).value_or(0), plain.size()) << static_cast<int>(format);
    }
}

TEST(Decompress, XzOfManyBlocksAndEveryCheck) {
    const auto plain = sample_bytes(50'000);
    Buffer output(plain.size());
    for (const auto check : {LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_SHA256})
        EXPECT_EQ(unpack_into(Format::xz, xz(plain, check), output).value_or(0), plain.size());

    lzma_mt options{};
    options.threads = 1;
    options.block_size = 8192;
    options.preset = 1;
    options.check = LZMA_CHECK_CRC32;
    lzma_stream stream = LZMA_STREAM_INIT;
    ASSERT_EQ(lzma_stream_encoder_mt(&stream, &options), LZMA_OK);
    Buffer packed(plain.size());
    stream.next_in = plain.data();
    stream.avail_in = plain.size();
    stream.next_out = packed.data();
    stream.avail_out = packed.size();
    ASSERT_EQ(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
    packed.resize(stream.total_out);
    lzma_end(&stream);
    output.assign(plain.size(), 0);
    ASSERT_EQ(unpack_into(Format::xz, packed, output).value_or(0), plain.size());
    EXPECT_EQ(output, plain);
}

TEST(Decompress, TheDictionaryIsNoLargerThanTheOutput) {
    const auto plain = sample_bytes(10'000);
    auto packed = lzma(plain);
    poke(packed, 1, u32{1} << 31);  // the header asks for a dictionary of 2 GiB
    Buffer output(plain.size());
    EXPECT_EQ(unpack_into(Format::lzma, packed, output).value_or(0), plain.size());
    EXPECT_LT(scratch_size(Format::xz, plain.size()), usize{1} << 20);
}

TEST(Decompress, UnsupportedFormatsAreCalledByTheirNames) {
    const auto error_of = [](Buffer bytes) { return detect_format(bytes).error(); };
    EXPECT_EQ(error_of({'B', 'Z', 'h', '9', 0x31}), LoadError::bzip2_unsupported);
    EXPECT_EQ(error_of({0x89, 'L', 'Z', 'O', 0}), LoadError::lzo_unsupported);
    EXPECT_EQ(error_of({0x04, 0x22, 0x4d, 0x18}), LoadError::lz4_frame_unsupported);
    EXPECT_EQ(error_of({}), LoadError::not_a_kernel);
    EXPECT_EQ(error_of({0x1f}), LoadError::not_a_kernel);
}

TEST(Decompress, OurCrc64IsXz) {
    for (const usize size : {usize{0}, usize{1}, usize{9}, usize{1000}}) {
        const auto bytes = sample_bytes(size);
        for (const u64 before : {u64{0}, u64{0x123456789abcdef0}})
            EXPECT_EQ(crc64(bytes, before), lzma_crc64(bytes.data(), size, before)) << size;
    }
}

TEST(Decompress, RefusesZstdOfBeforeItsFirstRelease) {
    Buffer output(100);
    Buffer packed(1000);
    for (const u8 version : {5, 6, 7}) {
        poke(packed, 0, 0xfd2fb520 + version);
        EXPECT_EQ(unpack_into(Format::zstd, packed, output).error(), LoadError::compressed_corrupt);
    }
}

TEST(Arena, AlignsBoundsAndTakesBackTheNewest) {
    Buffer memory(1000);
    Arena arena{memory};
    auto* first = static_cast<u8*>(arena.allocate(10));
    auto* second = static_cast<u8*>(arena.allocate(10));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(reinterpret_cast<u64>(first) % 64, 0u);
    EXPECT_EQ(second - first, 64);
    arena.release(second);
    EXPECT_EQ(arena.allocate(10), second);
    EXPECT_EQ(arena.allocate(1000), nullptr);
    EXPECT_EQ(arena.allocate(~usize{0}), nullptr);
    arena.release(first);  // not the newest: stays
    EXPECT_NE(arena.allocate(1), first);
}

}  // namespace
}  // namespace px::loader::test
