// The files that a guest starts from.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "boot/loader/kernel_image.hpp"
#include "toolstack/builder/kernel_cache.hpp"
#include "toolstack/call/error.hpp"

namespace px::builder {

/// The contents of `path`. `what` ("kernel") stands in the error.
call::Outcome<std::vector<u8>> read_file(const std::string& path, const char* what);

/// The ramdisk at `path`. Errors: as read_file(); it is cut off or damaged, as far as that can be told.
call::Outcome<std::vector<u8>> read_ramdisk(const std::string& path);

/// A kernel, unpacked, with its notes read.
class Kernel {
public:
    /// Errors name `path` and the cause: missing, no kernel, truncated, without the note that PVH needs, …
    static call::Outcome<Kernel> open(const std::string& path, const KernelCache& cache = KernelCache());

    /// The same for a start as PV, without the notes of PVH.
    static call::Outcome<Kernel> open_pv(const std::string& path, const KernelCache& cache = KernelCache());

    const loader::KernelImage& image() const { return image_; }
    /// Only of open_pv().
    const loader::PvImage& pv() const { return pv_; }
    /// Guest physical address where PVH starts it.
    u32 entry() const { return entry_; }

private:
    /// What the image is a view of: the file, what it was unpacked to, or what the cache has of that.
    struct Bytes {
        std::vector<u8> file;
        std::unique_ptr<u8[]> unpacked;
        call::Mapping kept;
    };

    Kernel(Bytes bytes, const loader::KernelImage& image) : bytes_(std::move(bytes)), image_(image) {}
    static call::Outcome<Kernel> open_any(const std::string& path, const KernelCache& cache);
    static call::Outcome<std::span<const u8>> read(const std::string& path, const KernelCache& cache, Bytes& bytes);

    Bytes bytes_;
    loader::KernelImage image_;
    u32 entry_ = 0;
    loader::PvImage pv_;
};

}  // namespace px::builder
