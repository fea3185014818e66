// Ramdisks that are whole, cut off, or damaged, in each packing.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/ramdisk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/loader/compressors.hpp"

namespace px::builder {
namespace {

using loader::Format;
using loader::test::Buffer;
using ::testing::HasSubstr;

void append_entry(Buffer& archive, const std::string& name, const std::string& content) {
    char header[111];
    std::snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, 0100644, 0, 0, 1, 0,
                  content.size(), 0, 0, 0, 0, name.size() + 1, 0);
    for (const std::string& part : {header + name + '\0', content}) {
        loader::test::append(archive, part.data(), part.size());
        archive.resize(align_up<usize>(archive.size(), 4));
    }
}

/// An archive with an executable's worth of bytes that don't shrink to nothing.
Buffer cpio() {
    std::string content;
    for (u32 i = 0, random = 1; i < 100'000; ++i) content += static_cast<char>((random = random * 1664525 + 1013904223) >> 26);
    Buffer archive;
    append_entry(archive, "init", content);
    append_entry(archive, "empty", "");
    append_entry(archive, "TRAILER!!!", "");
    return archive;
}

constexpr Format packings[] = {Format::elf /* as it is */, Format::gzip, Format::xz, Format::zstd, Format::lz4};

TEST(Ramdisk, WholeOnesPass) {
    for (const Format format : packings) {
        EXPECT_TRUE(check_ramdisk(loader::test::compress(format, cpio())).ok()) << static_cast<int>(format);
    }
}

TEST(Ramdisk, CutOnesAreRefused) {
    for (const Format format : packings) {
        const Buffer whole = loader::test::compress(format, cpio());
        for (usize size = format == Format::lz4 ? 5 : 6; size < whole.size(); size += 1 + whole.size() / 41) {
            // Without its last bytes of padding the trailer is still whole.
            if (format == Format::elf && size > whole.size() - 4) break;
            const auto done = check_ramdisk(std::span(whole).first(size));
            ASSERT_FALSE(done.ok()) << static_cast<int>(format) << " at " << size;
            EXPECT_THAT(done.error().text, HasSubstr("truncated"));
        }
    }
}

TEST(Ramdisk, DamagedOnesAreRefused) {
    for (const Format format : {Format::gzip, Format::xz}) {  // the others need not have a checksum
        Buffer bytes = loader::test::compress(format, cpio());
        for (usize at = bytes.size() / 2; at < bytes.size() / 2 + 64; ++at) bytes[at] = 0xff;
        EXPECT_FALSE(check_ramdisk(bytes).ok()) << static_cast<int>(format);
    }
    Buffer archive = cpio();
    archive[54] = 'x';  // of the size's digits
    EXPECT_THAT(check_ramdisk(archive).error().text, HasSubstr("cpio archive that begins at byte 0 is damaged"));
}

/// Microcode in a plain archive, zeros, then the packed rest, as distributions make them; each part is looked at.
TEST(Ramdisk, ArchivesBehindEachOther) {
    Buffer both;
    append_entry(both, "kernel/x86/microcode/AuthenticAMD.bin", "microcode");
    append_entry(both, "TRAILER!!!", "");
    both.resize(align_up<usize>(both.size(), 512));
    const usize start = both.size();
    const Buffer packed = loader::test::zstd(cpio());
    both.insert(both.end(), packed.begin(), packed.end());
    EXPECT_TRUE(check_ramdisk(both).ok());
    both.resize(both.size() - 100);
    EXPECT_THAT(check_ramdisk(both).error().text, HasSubstr("zstd stream that begins at byte " + std::to_string(start)));
}

TEST(Ramdisk, WhatIsntKnownIsntJudged) {
    EXPECT_TRUE(check_ramdisk({}).ok());
    EXPECT_TRUE(check_ramdisk(Buffer(5000, 0)).ok());
    EXPECT_TRUE(check_ramdisk(Buffer(5000, 'x')).ok());
    EXPECT_TRUE(check_ramdisk(Buffer{0x1f}).ok());
    Buffer with_junk = loader::test::gzip(cpio());
    with_junk.insert(with_junk.end(), 10, 'j');
    EXPECT_TRUE(check_ramdisk(with_junk).ok());
}

}  // namespace
}  // namespace px::builder
