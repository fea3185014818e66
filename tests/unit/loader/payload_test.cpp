// bzImages and plain compressed kernels, and Debian's own kernel if it is at hand.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/payload.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "boot/loader/kernel_image.hpp"
#include "tests/unit/loader/compressors.hpp"

namespace px::loader::test {
namespace {

constexpr Format all_formats[] = {Format::elf, Format::gzip, Format::xz, Format::lzma, Format::zstd, Format::lz4};

Buffer bzimage_of(Format format, const Buffer& elf, u8 setup_sectors = 3) {
    const auto size = static_cast<u32>(elf.size());
    return bzimage_around(compress(format, elf), format == Format::gzip ? nullptr : &size, setup_sectors);
}

/// Unpacks with just the memory that the interface asks for.
Loaded<Buffer> unpack_file(const Buffer& file, usize allowed = 1 << 20) {
    const auto payload = TRY(find_payload(file));
    Buffer output(payload.unpacked_size.value_or(allowed));
    Buffer memory(scratch_size(payload.format, output.size()));
    Arena scratch{memory};
    const auto elf = TRY(unpack(payload, output, scratch));
    return Buffer(elf.begin(), elf.end());
}

TEST(Payload, UnpacksABzImageOfEveryFormat) {
    const auto elf = sample_kernel().build();
    for (const auto format : all_formats) {
        for (const u8 setup_sectors : {u8{0}, u8{3}, u8{39}, u8{255}}) {
            const auto file = bzimage_of(format, elf, setup_sectors);
            const auto payload = find_payload(file);
            ASSERT_TRUE(payload.ok()) << describe(payload.error());
            EXPECT_EQ(payload.value().format, format);
            EXPECT_EQ(payload.value().unpacked_size, elf.size());
            EXPECT_EQ(payload.value().version, "6.1.0-test");
            const auto unpacked = unpack_file(file);
            ASSERT_TRUE(unpacked.ok()) << static_cast<int>(format) << describe(unpacked.error());
            EXPECT_EQ(unpacked.value(), elf);
        }
    }
}

TEST(Payload, TheEndOfABzImageIsKnown) {
    auto file = bzimage_of(Format::gzip, sample_kernel().build());
    file.resize(align_up<usize>(file.size(), 16));
    const usize end = file.size();
    poke(file, 0x1f4, static_cast<u32>((end - 4 * 512) / 16));
    EXPECT_EQ(end_of_bzimage(file), end);
    file.insert(file.end(), {'0', '7', '0', '7', '0', '1'});
    EXPECT_EQ(end_of_bzimage(file), end);

    // Signed: a PE header names a table of certificates behind the kernel.
    auto is_signed = file;
    is_signed.resize(end + 1000);
    poke(is_signed, 0x3c, u32{0x40});
    poke(is_signed, 0x40, u32{0x4550});
    poke(is_signed, 0x40 + 24, u16{0x20b});
    poke(is_signed, 0x40 + 24 + 108, u32{16});
    poke(is_signed, 0x40 + 24 + 144, static_cast<u32>(end));
    poke(is_signed, 0x40 + 24 + 148, u32{200});
    EXPECT_EQ(end_of_bzimage(is_signed), end + 200);
    poke(is_signed, 0x40 + 24 + 148, ~u32{0});
    EXPECT_EQ(end_of_bzimage(is_signed), std::nullopt) << "certificates outside of the file";

    poke(file, 0x1f4, ~u32{0});
    EXPECT_EQ(end_of_bzimage(file), std::nullopt);
    EXPECT_EQ(end_of_bzimage(sample_kernel().build()), std::nullopt);
    EXPECT_EQ(end_of_bzimage({}), std::nullopt);
}

TEST(Payload, UnpacksPlainFiles) {
    const auto elf = sample_kernel().build();
    for (const auto format : all_formats) {
        const auto file = compress(format, elf);
        const bool knows_size = format == Format::elf || format == Format::gzip;
        EXPECT_EQ(find_payload(file).value().unpacked_size.has_value(), knows_size);
        EXPECT_EQ(unpack_file(file).value(), elf);
    }
}

TEST(Payload, RefusesWhatIsNoKernel) {
    const auto error_of = [](const Buffer& file) { return find_payload(file).error(); };
    EXPECT_EQ(error_of({}), LoadError::not_a_kernel);
    EXPECT_EQ(error_of(Buffer(100'000)), LoadError::not_a_kernel);
    EXPECT_EQ(error_of({'B', 'Z', 'h', '9'}), LoadError::bzip2_unsupported);
    EXPECT_EQ(error_of({0x1f, 0x8b}), LoadError::compressed_truncated);

    auto file = bzimage_of(Format::gzip, sample_kernel().build());
    auto old = file;
    poke(old, 0x206, u16{0x207});
    EXPECT_EQ(error_of(old), LoadError::bzimage_too_old);
    for (const auto& [offset, error] : {std::pair{0x248u, LoadError::payload_outside_file}, {0x24cu, LoadError::payload_outside_file}}) {
        auto bad = file;
        poke(bad, offset, ~u32{0});
        EXPECT_EQ(error_of(bad), error);
    }
    auto foreign = file;
    foreign[4 * 512 + 0x80] = 'X';
    EXPECT_EQ(error_of(foreign), LoadError::payload_of_unknown_format);
    auto tiny = bzimage_around({0x1f, 0x8b}, nullptr);
    EXPECT_EQ(error_of(tiny), LoadError::compressed_truncated);
}

TEST(Payload, RefusesWrongSizes) {
    const auto elf = sample_kernel().build();
    for (const auto format : {Format::xz, Format::lzma, Format::zstd, Format::lz4}) {
        for (const u32 size : {static_cast<u32>(elf.size()) - 1, static_cast<u32>(elf.size()) + 1}) {
            const auto unpacked = unpack_file(bzimage_around(compress(format, elf), &size));
            ASSERT_FALSE(unpacked.ok());
            EXPECT_EQ(unpacked.error(), LoadError::unpacked_size_differs) << static_cast<int>(format) << " " << size;
        }
        const u32 absurd = 0xf0000000;
        EXPECT_EQ(find_payload(bzimage_around(compress(format, elf), &absurd)).error(), LoadError::unpacked_size_absurd);
    }
    const auto file = bzimage_of(Format::zstd, elf);
    const auto payload = find_payload(file).value();
    Buffer short_output(elf.size() - 1), memory(scratch_size(Format::zstd, 0));
    Arena scratch{memory};
    EXPECT_EQ(unpack(payload, short_output, scratch).error(), LoadError::output_too_small);
}

TEST(Payload, RefusesEveryTruncation) {
    const auto elf = sample_kernel().build();
    for (const auto format : all_formats) {
        const auto file = bzimage_of(format, elf);
        for (usize length = 0; length < file.size(); length += length < 0x260 ? 1 : 13) {
            const Buffer cut(file.begin(), file.begin() + static_cast<long>(length));
            const auto error = find_payload(cut).error();
            const auto expected = length < 0x206   ? LoadError::not_a_kernel
                                  : length < 0x250 ? LoadError::bzimage_truncated
                                                   : LoadError::payload_outside_file;
            ASSERT_EQ(error, expected) << length << ": " << describe(error);
        }
    }
}

/// $PX_VMLINUZ: a Debian kernel, 6.1 or later.
TEST(Payload, LoadsDebiansKernel) {
    const char* path = std::getenv("PX_VMLINUZ");
    if (!path) GTEST_SKIP() << "PX_VMLINUZ does not name a kernel";
    std::ifstream stream{path, std::ios::binary};
    const Buffer file{std::istreambuf_iterator<char>{stream}, {}};
    ASSERT_FALSE(file.empty()) << path;
    EXPECT_NE(find_payload(file).value().version.find("-amd64"), std::string_view::npos);

    const auto elf = unpack_file(file);
    ASSERT_TRUE(elf.ok()) << describe(elf.error());
    const auto parsed = KernelImage::parse(elf.value());
    ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
    const auto& image = parsed.value();
    EXPECT_EQ(image.extent().start, 0x1000000u);
    EXPECT_TRUE(image.pvh_entry().ok());
    const auto& notes = image.notes();
    EXPECT_EQ(notes.guest_os, "linux");
    EXPECT_EQ(notes.xen_version, "xen-3.0");
    EXPECT_TRUE(notes.features_supported.has(abi::Feature::dom0));
    const auto pv = image.pv();
    ASSERT_TRUE(pv.ok()) << describe(pv.error());
    EXPECT_EQ(pv.value().kernel.start, 0xffffffff81000000u);
    EXPECT_EQ(pv.value().p2m, 0x8000000000u);
}

}  // namespace
}  // namespace px::loader::test
