// Where a PVH guest finds its memory, as libxl lays it out.
//
//   0                    0xf0000000  0xfc000000        0xfeff8000            0xff000000   4 GiB
//   |        RAM         |   hole    | ACPI tables |   | store, ident, console |           |  the rest of the RAM …
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "boot/loader/extent.hpp"
#include "hypervisor/abi/start_info.hpp"

namespace px::builder {

using loader::Extent;

inline constexpr u64 low_memory_end = 0xf000'0000;
inline constexpr u64 high_memory_start = u64{1} << 32;
inline constexpr Gpaddr acpi_start{0xfc00'0000};
inline constexpr usize acpi_max = 64 * 1024;

inline constexpr Gfn special_start{0xfeff8};
inline constexpr usize special_frames = 8;
inline constexpr Gfn store_frame{0xfeffc};
/// An identity map that VT-x without unrestricted guests runs unpaged code on.
inline constexpr Gfn identity_map_frame{0xfeffe};
inline constexpr Gfn console_frame{0xfefff};
/// Never memory of the guest; free for what shows up there for a moment.
inline constexpr Gfn scratch_frame{0xfe000};

struct Layout {
    std::vector<Extent> ram;
    std::vector<abi::HvmMemmapTableEntry> map;  ///< ascending; RAM and what is no RAM
};

/// `memory` bytes of RAM (rounded down to whole pages) and `acpi` bytes of tables at acpi_start.
Layout plan_layout(u64 memory, usize acpi);

}  // namespace px::builder
