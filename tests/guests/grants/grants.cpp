// Grant tables, version 1, by a domain that grants to itself: copies in both directions, and all that must be refused.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/grants.hpp"
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

using abi::GntStatus;
constexpr u32 ref = 8, readonly_ref = 9, foreign_ref = 10, empty_ref = 11;
constexpr u64 pattern = 0x5a5a'1234'8765'a5a5;

alignas(page_size) constinit u64 lent[page_size / 8]{};
alignas(page_size) constinit u64 buffer[page_size / 8]{};
constinit abi::GrantEntryV1* table = nullptr;

void grant(u32 at, u16 to, u16 flags) {
    table[at].domid = to;
    table[at].frame = static_cast<u32>(frame_of(lent));
    std::atomic_ref{table[at].flags}.store(flags | abi::gtf::permit_access);
}
int number(GntStatus status) { return static_cast<int>(status); }

void copies(u16 self) {
    lent[1] = pattern;
    PX_CHECK_EQ(number(copy_from_grant(self, ref, 8, buffer, 8)), 0);
    PX_CHECK_EQ(buffer[0], pattern);
    buffer[5] = ~pattern;
    PX_CHECK_EQ(number(copy_to_grant(self, ref, 16, &buffer[5], 8)), 0);
    PX_CHECK_EQ(lent[2], ~pattern);
    PX_CHECK_EQ(number(copy_from_grant(self, readonly_ref, 0, buffer, 4096)), 0);
    PX_CHECK_EQ(buffer[1], pattern);
    PX_CHECK_EQ(number(copy_to_grant(self, readonly_ref, 0, buffer, 8)), number(GntStatus::general_error));
    PX_CHECK_EQ(number(copy_from_grant(self, ref, 4090, buffer, 8)), number(GntStatus::bad_copy_arg));
    PX_CHECK_EQ(number(copy_from_grant(self, empty_ref, 0, buffer, 8)), number(GntStatus::general_error));
    PX_CHECK_EQ(number(copy_from_grant(self, foreign_ref, 0, buffer, 8)), number(GntStatus::general_error));
    PX_CHECK_EQ(number(copy_from_grant(self, 0x10'0000, 0, buffer, 8)), number(GntStatus::bad_gntref));
    PX_CHECK_EQ(number(copy_from_grant(0x7000, ref, 0, buffer, 8)), number(GntStatus::bad_domain));
}

/// Mappings that succeed need a second domain (grants-pair): a frame has one place in a guest's own map.
void refused_maps(u16 self) {
    const u64 window = grant_window();
    PX_CHECK_EQ(number(map_grant(self, readonly_ref, window, abi::gntmap::host_map).status), number(GntStatus::general_error));
    PX_CHECK_EQ(number(map_grant(self, empty_ref, window, abi::gntmap::host_map).status), number(GntStatus::general_error));
    PX_CHECK_EQ(number(map_grant(self, 0x10'0000, window, abi::gntmap::host_map).status), number(GntStatus::bad_gntref));
    PX_CHECK_EQ(number(map_grant(0x7000, ref, window, abi::gntmap::host_map).status), number(GntStatus::bad_domain));
    PX_CHECK_EQ(number(map_grant(self, ref, window, 0).status), number(GntStatus::bad_gntref));  // neither for CPU nor device
    PX_CHECK_EQ(number(unmap_grant(window, 0xdead)), number(GntStatus::bad_handle));
}

}  // namespace

void guest_main() {
    const u16 self = own_domid();
    PX_CHECK_EQ(set_grant_version(1), i64{0});
    PX_CHECK_EQ(set_grant_version(3), minus(Errno::einval));
    table = static_cast<abi::GrantEntryV1*>(grant_table_frame());
    grant(ref, self, 0);
    grant(readonly_ref, self, abi::gtf::readonly);
    grant(foreign_ref, 0x6fff, 0);

    abi::GnttabQuerySize size{abi::domid::self, 0, 0, -1};
    PX_CHECK_EQ(call(abi::GnttabOp::query_size, &size), i64{0});
    PX_CHECK(size.status == 0 && size.nr_frames >= 1 && size.max_nr_frames >= size.nr_frames);
    copies(self);
    refused_maps(self);
}

}  // namespace px::guest
