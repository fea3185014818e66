// A guest's memory as the loader writes it.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/guest_memory.hpp"

#include <algorithm>
#include <vector>

namespace px::builder {

using call::Outcome;
using loader::Loaded;

namespace {

/// Mapped at a time: 4 MiB, so that a large ramdisk doesn't need as much address space again.
constexpr u64 window_frames = 1024;

}  // namespace

/// Calls fill(piece, offset) for each piece of the range that is mapped at a time.
template <class Fill>
Outcome<> GuestMemory::fill(Gpaddr address, u64 size, Fill&& fill) {
    for (u64 done = 0; done < size;) {
        const u64 at = address.raw + done, in_page = at % page_size;
        const u64 length = std::min(size - done, window_frames * page_size - in_page);
        std::vector<Gfn> frames;
        for (u64 page = align_down<u64>(at, page_size); page < at + length; page += page_size) {
            const Gfn gfn = to_gfn(Gpaddr{page});
            if (!frames_.empty() && gfn.raw >= frames_.size()) return Err{call::Error{EINVAL, "the guest has no memory there"}};
            frames.push_back(frames_.empty() ? gfn : Gfn{frames_[gfn.raw]});
        }
        const call::Mapping mapping = TRY(privcmd_.map_foreign(domain_, frames));
        fill(std::span(mapping.as<u8>() + in_page, length), done);
        done += length;
    }
    return {};
}

Outcome<> GuestMemory::copy_in(Gpaddr address, std::span<const u8> bytes) {
    return fill(address, bytes.size(),
                [&](std::span<u8> piece, u64 offset) { std::memcpy(piece.data(), bytes.data() + offset, piece.size()); });
}

Loaded<> GuestMemory::write(Gpaddr address, std::span<const u8> bytes) {
    auto done = copy_in(Gpaddr{address.raw - offset_}, bytes);
    if (done.ok()) return {};
    cause_ = done.error();
    return Err{loader::LoadError::guest_memory_write_failed};
}

Loaded<> GuestMemory::zero(Gpaddr address, u64 size) {
    auto done = fill(Gpaddr{address.raw - offset_}, size, [](std::span<u8> piece, u64) { std::memset(piece.data(), 0, piece.size()); });
    if (done.ok()) return {};
    cause_ = done.error();
    return Err{loader::LoadError::guest_memory_write_failed};
}

}  // namespace px::builder
