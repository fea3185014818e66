// KernelCache: kernels unpacked before, for unpacking is nine tenths of what making a guest costs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <span>
#include <string>

#include "toolstack/call/handle.hpp"

namespace px::builder {

/// A folder with a file for each of the last kernels, named after the identity of the file that it was unpacked from: device, inode,
/// size, times of the last change of content and status, which nobody but root can make equal to another file's.
/// It is used while it exists, is the user's own, and closed to all others: what lies in it becomes a guest's kernel. Everything here is done
/// if it can be done: where it can't, a kernel is unpacked once more, which isn't worth a word.
class KernelCache {
public:
    static constexpr unsigned most_kernels = 4;
    /// A file that changed so short a time ago may change again within the same tick of the file system's clock.
    static constexpr i64 settled_seconds = 3;

    explicit KernelCache(std::string folder = "/var/cache/xen/kernels", i64 settled = settled_seconds)
        : folder_(std::move(folder)), settled_(settled) {}

    /// What the file with this status was unpacked to; nothing where that isn't known.
    call::Mapping find(const struct stat& packed) const;
    /// Keeps it, and forgets those that were used longest ago. The file had this status before it was read and after.
    void keep(const struct stat& packed, std::span<const u8> unpacked) const;

private:
    call::Fd open_folder() const;
    void trim(int folder) const;

    std::string folder_;
    i64 settled_;
};

/// Whether these are two looks at a file that nobody changed meanwhile.
bool same_content(const struct stat& before, const struct stat& after);

}  // namespace px::builder
