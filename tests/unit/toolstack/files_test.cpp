// Files of a guest: each bad one gives a sentence that names it and the cause.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

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

TEST(Files, RamdiskIsReadWhole) {
    const std::string contents(300'000, 'r');
    const auto bytes = read_file(write("ramdisk", contents), "ramdisk");
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(std::string(bytes->begin(), bytes->end()), contents);
    const auto missing = read_file("/nowhere/initrd", "ramdisk");
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().text, HasSubstr("ramdisk /nowhere/initrd"));
}

}  // namespace
}  // namespace px::builder
