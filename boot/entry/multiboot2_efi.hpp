// What Multiboot 2 tells of the EFI firmware, for the entry that runs while its boot services are on. [multiboot2 2.0, 3.6.10, 3.6.17]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "hypervisor/base/result.hpp"

namespace px::boot {

struct MultibootEfi {
    u64 system_table, image;
};

/// `info`: the information, all of it in memory that can be read. Header-only: callable before paging is ours.
/// Errors: einval (broken), enoent (a tag is missing).
inline Result<MultibootEfi> efi_of_multiboot2(const u8* info) {
    constexpr u32 tag_end = 0, tag_system_table = 12, tag_image = 20, most = 1u << 20;
    const auto get = [&](u64 offset, auto& value) { std::memcpy(&value, info + offset, sizeof value); };
    u32 total = 0;
    get(0, total);
    REQUIRE(total >= 16 && total <= most, einval);
    MultibootEfi found{0, 0};
    for (u64 at = 8; at + 8 <= total;) {
        u32 type = 0, size = 0;
        get(at, type);
        get(at + 4, size);
        REQUIRE(size >= 8 && size <= total - at, einval);
        if (type == tag_end) break;
        if (type == tag_system_table && size >= 16) get(at + 8, found.system_table);
        if (type == tag_image && size >= 16) get(at + 8, found.image);
        at += align_up<u64>(size, 8);
    }
    REQUIRE(found.system_table != 0 && found.image != 0, enoent);
    return found;
}

}  // namespace px::boot
