// The cache of unpacked kernels: who finds what, and what is never believed.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/kernel_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/loader/compressors.hpp"
#include "toolstack/builder/files.hpp"

namespace px::builder {
namespace {

namespace fs = std::filesystem;

class KernelCacheTest : public ::testing::Test {
protected:
    KernelCacheTest() {
        fs::create_directories(folder_);
        fs::permissions(folder_, fs::perms::owner_all);
    }
    ~KernelCacheTest() override { fs::remove_all(root_); }

    std::string write(const std::string& name, std::string_view text) const {
        const std::string path = root_ + "/" + name;
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }
    static struct stat status_of(const std::string& path) {
        struct stat status {};
        EXPECT_EQ(stat(path.c_str(), &status), 0);
        return status;
    }
    static std::span<const u8> bytes(std::string_view text) { return {reinterpret_cast<const u8*>(text.data()), text.size()}; }
    std::string found(const std::string& path) const {
        const call::Mapping kept = cache_.find(status_of(path));
        return kept ? std::string(kept.as<const char>(), kept.size_bytes()) : "";
    }
    std::vector<fs::path> kept() const { return {fs::directory_iterator(folder_), fs::directory_iterator()}; }

    const std::string root_ = ::testing::TempDir() + "kernel-cache-" + std::to_string(getpid()), folder_ = root_ + "/cache";
    const KernelCache cache_{folder_, 0};
};

TEST_F(KernelCacheTest, FindsWhatWasKept) {
    const std::string kernel = write("vmlinuz", "packed"), other = write("other", "packed");
    EXPECT_EQ(found(kernel), "");
    cache_.keep(status_of(kernel), bytes("unpacked"));
    EXPECT_EQ(found(kernel), "unpacked");
    EXPECT_EQ(found(other), "");
}

TEST_F(KernelCacheTest, ChangedFileIsAnotherKernel) {
    const std::string kernel = write("vmlinuz", "packed");
    cache_.keep(status_of(kernel), bytes("unpacked"));
    const timespec long_ago[2] = {{1, 0}, {1, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, kernel.c_str(), long_ago, 0), 0);
    EXPECT_EQ(found(kernel), "");
    cache_.keep(status_of(kernel), bytes("unpacked"));
    write("vmlinuz", "PACKED");                                      // the same size
    ASSERT_EQ(utimensat(AT_FDCWD, kernel.c_str(), long_ago, 0), 0);  // and the same time, as `cp -p` makes it
    EXPECT_EQ(found(kernel), "");
}

/// It may change again without a trace in its times.
TEST_F(KernelCacheTest, FreshFileIsNotKept) {
    const std::string kernel = write("vmlinuz", "packed");
    KernelCache(folder_).keep(status_of(kernel), bytes("unpacked"));
    EXPECT_TRUE(kept().empty());
}

TEST_F(KernelCacheTest, FolderThatOthersMayUseIsNotBelieved) {
    const std::string kernel = write("vmlinuz", "packed");
    cache_.keep(status_of(kernel), bytes("unpacked"));
    for (const auto mode : {fs::perms::group_read, fs::perms::others_exec, fs::perms::others_write}) {
        fs::permissions(folder_, fs::perms::owner_all | mode);
        EXPECT_EQ(found(kernel), "");
    }
    fs::permissions(folder_, fs::perms::owner_all);
    EXPECT_EQ(found(kernel), "unpacked");
    fs::rename(folder_, root_ + "/elsewhere");
    fs::create_directory_symlink(root_ + "/elsewhere", folder_);
    EXPECT_EQ(found(kernel), "");
}

TEST_F(KernelCacheTest, FileThatOthersMayHaveWrittenIsNotBelieved) {
    const std::string kernel = write("vmlinuz", "packed"), forged = write("forged", "forged");
    cache_.keep(status_of(kernel), bytes("unpacked"));
    ASSERT_EQ(kept().size(), 1U);
    const fs::path file = kept()[0];
    fs::permissions(file, fs::perms::group_write, fs::perm_options::add);
    EXPECT_EQ(found(kernel), "");
    fs::remove(file);
    fs::create_symlink(forged, file);
    EXPECT_EQ(found(kernel), "");
    fs::remove(file);
    std::ofstream(file, std::ios::binary).close();
    EXPECT_EQ(found(kernel), "");
}

TEST_F(KernelCacheTest, ForgetsWhatWasUsedLongestAgo) {
    std::vector<std::string> kernels;
    const auto age = [&](const fs::path& file, int minutes) {
        fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::minutes(minutes));
    };
    for (unsigned i = 0; i < KernelCache::most_kernels; ++i) {
        kernels.push_back(write("vmlinuz" + std::to_string(i), std::string(i + 1, 'p')));
        const auto before = kept();
        cache_.keep(status_of(kernels.back()), bytes("unpacked"));
        for (const auto& file : kept()) {
            if (std::ranges::find(before, file) == before.end()) age(file, 100 - static_cast<int>(i));
        }
    }
    EXPECT_EQ(found(kernels[0]), "unpacked");  // used just now, so the second is the oldest
    const std::string last = write("last", "packed too");
    cache_.keep(status_of(last), bytes("unpacked"));
    EXPECT_EQ(kept().size(), KernelCache::most_kernels);
    EXPECT_EQ(found(kernels[1]), "");
    EXPECT_EQ(found(kernels[0]), "unpacked");
    EXPECT_EQ(found(last), "unpacked");
}

TEST_F(KernelCacheTest, WithoutAFolderNothingIsKept) {
    const std::string kernel = write("vmlinuz", "packed");
    fs::remove(folder_);
    cache_.keep(status_of(kernel), bytes("unpacked"));
    EXPECT_EQ(found(kernel), "");
    EXPECT_FALSE(fs::exists(folder_));
}

/// The second time it is the kept kernel that is opened: another one shows it.
TEST_F(KernelCacheTest, KernelOpensFromIt) {
    const auto elf = loader::test::sample_kernel().build();
    const auto packed = loader::test::compress(loader::Format::gzip, elf);
    const std::string path = write("vmlinuz", {reinterpret_cast<const char*>(packed.data()), packed.size()});
    ASSERT_TRUE(Kernel::open(path, cache_).ok());
    EXPECT_EQ(found(path), std::string(elf.begin(), elf.end()));
    const auto again = Kernel::open(path, cache_);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->image().extent().start, Kernel::open(path, cache_)->image().extent().start);
    std::ofstream(kept()[0], std::ios::binary | std::ios::in) << "no ELF";
    EXPECT_FALSE(Kernel::open(path, cache_).ok());
    EXPECT_FALSE(KernelCache(folder_).find(status_of("/proc/self/exe")));
}

/// A kernel that was never packed costs nothing to open, so it isn't kept.
TEST_F(KernelCacheTest, PlainKernelsAreNotKept) {
    const auto elf = loader::test::sample_kernel().build();
    ASSERT_TRUE(Kernel::open(write("vmlinux", {reinterpret_cast<const char*>(elf.data()), elf.size()}), cache_).ok());
    EXPECT_TRUE(kept().empty());
}

}  // namespace
}  // namespace px::builder
