// Files of a guest: each bad one gives a sentence that names it and the cause.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/loader/compressors.hpp"

namespace px::builder {
namespace {

using ::testing::HasSubstr;

std::string write(const char* name, std::string_view contents) {
    const std::string path = ::testing::TempDir() + name;
    std::ofstream(path, std::ios::binary) << contents;
    return path;
}

void expect_refused(const std::string& path, const char* cause) {
    const auto kernel = Kernel::open(path);
    ASSERT_FALSE(kernel.ok());
    EXPECT_THAT(kernel.error().text, HasSubstr(path));
    EXPECT_THAT(kernel.error().text, HasSubstr(cause));
}

TEST(Files, MissingKernel) { expect_refused("/nowhere/vmlinuz", "No such file"); }
TEST(Files, Directory) { expect_refused("/tmp", "isn't a file"); }
TEST(Files, Empty) { expect_refused(write("empty", ""), "empty"); }
TEST(Files, NoKernel) { expect_refused(write("text", std::string(4096, 'x')), "kernel"); }
/// Any program of the build machine is an ELF file without Xen's notes.
TEST(Files, NoPvhNote) { expect_refused("/proc/self/exe", "PHYS32_ENTRY"); }

/// Wherever a kernel's file is cut, in each packing: a sentence, and never a kernel.
TEST(Files, TruncatedKernels) {
    const auto elf = loader::test::sample_kernel().build();
    for (const auto format : {loader::Format::elf, loader::Format::gzip, loader::Format::xz, loader::Format::zstd, loader::Format::lz4}) {
        const auto whole = loader::test::compress(format, elf);
        const std::string_view text(reinterpret_cast<const char*>(whole.data()), whole.size());
        EXPECT_TRUE(Kernel::open(write("whole", text)).ok()) << static_cast<int>(format);
        for (usize size = 1; size < whole.size(); size += 1 + whole.size() / 7) {
            const std::string path = write("half", text.substr(0, size));
            const auto kernel = Kernel::open(path);
            ASSERT_FALSE(kernel.ok()) << static_cast<int>(format) << " " << size;
            EXPECT_THAT(kernel.error().text, HasSubstr(path));
        }
    }
}

TEST(Files, RamdiskIsReadWhole) {
    const std::string contents(300'000, 'r');
    const auto bytes = read_file(write("ramdisk", contents), "ramdisk");
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(std::string(bytes->begin(), bytes->end()), contents);
    const auto missing = read_file("/nowhere/initrd", "ramdisk");
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().text, HasSubstr("ramdisk /nowhere/initrd"));
    const auto cut = read_ramdisk(write("cut", std::string_view("\x1f\x8b\x08", 3)));
    ASSERT_FALSE(cut.ok());
    EXPECT_THAT(cut.error().text, HasSubstr("/cut: the file is truncated"));
}

}  // namespace
}  // namespace px::builder
