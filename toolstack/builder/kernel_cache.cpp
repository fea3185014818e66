// KernelCache: kernels unpacked before.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/kernel_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <vector>

namespace px::builder {

using call::Fd;
using call::Mapping;

namespace {

/// All that tells one content of a file from another.
auto identity(const struct stat& file) {
    return std::tuple(u64{file.st_dev}, u64{file.st_ino}, static_cast<u64>(file.st_size), file.st_mtim.tv_sec, file.st_mtim.tv_nsec,
                      file.st_ctim.tv_sec, file.st_ctim.tv_nsec);
}

std::string name_of(const struct stat& file) {
    std::array<char, 160> text{};
    std::apply(
        [&](auto... part) {
            std::snprintf(text.data(), text.size(), "%llx-%llx-%llx-%llx.%llx-%llx.%llx.elf", static_cast<unsigned long long>(part)...);
        },
        identity(file));
    return text.data();
}

/// Nobody but this user can have written it.
bool is_own(const struct stat& status, mode_t others) { return status.st_uid == geteuid() && (status.st_mode & others) == 0; }

bool write_whole(int fd, std::span<const u8> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes = bytes.subspan(static_cast<usize>(count));
    }
    return fdatasync(fd) == 0;  // a name must never lead to half a kernel, also after a loss of power
}

/// Whether as much as it takes stays free.
bool has_room(int folder, usize bytes) {
    struct statvfs space {};
    return fstatvfs(folder, &space) == 0 && u64{space.f_bavail} * space.f_frsize >= 2 * u64{bytes};
}

}  // namespace

bool same_content(const struct stat& before, const struct stat& after) { return identity(before) == identity(after); }

Fd KernelCache::open_folder() const {
    Fd folder{open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat status {};
    if (!folder || fstat(folder.get(), &status) < 0 || !is_own(status, 0077)) return {};
    return folder;
}

Mapping KernelCache::find(const struct stat& packed) const {
    const Fd folder = open_folder();
    if (!folder) return {};
    const Fd file{openat(folder.get(), name_of(packed).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat status {};
    if (!file || fstat(file.get(), &status) < 0 || !S_ISREG(status.st_mode) || !is_own(status, 0022) || status.st_size <= 0) return {};
    const auto size = static_cast<usize>(status.st_size);
    void* const address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) return {};
    static_cast<void>(futimens(file.get(), nullptr));  // trim() goes by it
    return {address, size};
}

void KernelCache::keep(const struct stat& packed, std::span<const u8> unpacked) const {
    const Fd folder = open_folder();
    if (!folder || !has_room(folder.get(), unpacked.size())) return;
    if (time(nullptr) - std::max(packed.st_mtim.tv_sec, packed.st_ctim.tv_sec) < settled_) return;
    const std::string unfinished = "unfinished-" + std::to_string(getpid());
    unlinkat(folder.get(), unfinished.c_str(), 0);
    const Fd file{openat(folder.get(), unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file) return;
    const bool done =
        write_whole(file.get(), unpacked) && renameat(folder.get(), unfinished.c_str(), folder.get(), name_of(packed).c_str()) == 0;
    if (!done) unlinkat(folder.get(), unfinished.c_str(), 0);
    trim(folder.get());
}

void KernelCache::trim(int folder) const {
    const std::unique_ptr<DIR, int (*)(DIR*)> names(fdopendir(dup(folder)), closedir);
    if (!names) return;
    std::vector<std::tuple<time_t, long, std::string>> files;
    while (const dirent* const entry = readdir(names.get())) {
        struct stat status {};
        if (fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(status.st_mode)) continue;
        files.emplace_back(status.st_mtim.tv_sec, status.st_mtim.tv_nsec, entry->d_name);
    }
    std::ranges::sort(files, std::greater<>());
    for (usize i = most_kernels; i < files.size(); ++i) unlinkat(folder, std::get<2>(files[i]).c_str(), 0);
}

}  // namespace px::builder
