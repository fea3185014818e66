// What of AArch64's side of the contract can be checked while it is compiled: stage 2's descriptors.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/physmap.hpp"

namespace px {
namespace {

using Policy = arch::PhysmapPolicy;
constexpr Mfn frame{0x12345};
constexpr u64 leaf_of(GfnType type, unsigned level = 0, bool read_only = false) { return Policy::leaf(frame, level, {type, read_only}); }

// Valid, a page, normal memory, readable and writable, inner shareable, accessed; a block has bit 1 clear.
static_assert(leaf_of(GfnType::ram) == (u64{1} << 55 | 0x12345000 | 0x7ff));
static_assert(leaf_of(GfnType::ram, 1) == (u64{1} << 55 | 0x12345000 | 0x7fd));
static_assert((leaf_of(GfnType::ram_read_only) & 0xc0) == 0x40 && (leaf_of(GfnType::log_dirty) & 0xc0) == 0x40);
static_assert((leaf_of(GfnType::mmio_direct) & (u64{1} << 54 | 0x3c)) == (u64{1} << 54 | 0x04));  // a device: never executed
static_assert((leaf_of(GfnType::mmio_emulated) & 1) == 0 && Policy::present(leaf_of(GfnType::mmio_emulated)));
static_assert(!Policy::present(0) && Policy::present(Policy::table(frame)) && !Policy::is_leaf(Policy::table(frame), 1));

constexpr bool comes_back(GfnType type, unsigned level, bool read_only) {
    const u64 entry = leaf_of(type, level, read_only);
    return Policy::is_leaf(entry, level) && Policy::frame(entry, level) == frame &&
           Policy::attributes(entry, level) == Policy::Attributes{type, read_only};
}
constexpr bool all_come_back() {
    for (u8 type = 1; type <= static_cast<u8>(GfnType::populate_on_demand); ++type) {
        for (unsigned level = 0; level <= Policy::max_leaf_level; ++level) {
            if (!comes_back(GfnType{type}, level, false)) return false;
        }
    }
    return comes_back(GfnType::mmio_direct, 0, true) && comes_back(GfnType::mmio_emulated, 1, true);
}
static_assert(all_come_back());

}  // namespace
}  // namespace px
