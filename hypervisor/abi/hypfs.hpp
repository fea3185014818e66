// The hypervisor's file system [xen/public hypfs.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class HypfsOp : u32 { get_version = 0, read = 1, write_contents = 2 };
inline constexpr u32 hypfs_version = 1;
inline constexpr u32 hypfs_max_pathlen = 1024;

enum class HypfsType : u8 { dir = 0, blob = 1, string = 2, uint_value = 3, int_value = 4, bool_value = 5 };
enum class HypfsEncoding : u8 { plain = 0, gzip = 1 };

struct HypfsDirentry {
    u8 type;      ///< HypfsType
    u8 encoding;  ///< HypfsEncoding
    u16 pad;
    u32 content_len;
    u32 max_write_len;  ///< 0: read-only
};

/// The zero-terminated name follows at name_offset; off_next is from entry to entry, 0 at the last.
struct HypfsDirlistentry {
    HypfsDirentry e;
    u16 off_next;
    static constexpr usize name_offset = 14;
};

}  // namespace px::abi
