// Grant tables, version 2: status words apart from the entries, parts of a page, a grant of a grant, and the way back.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/grants.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

using abi::GntStatus;
constexpr u32 full_ref = 8, part_ref = 9, via_ref = 10;
constexpr u64 pattern = 0x0123'4567'89ab'cdef;

alignas(page_size) constinit u64 lent[page_size / 8]{};
alignas(page_size) constinit u64 buffer[page_size / 8]{};

int number(GntStatus status) { return static_cast<int>(status); }

}  // namespace

void guest_main() {
    const u16 self = own_domid();
    PX_CHECK_EQ(set_grant_version(2), i64{0});
    abi::GnttabGetVersion version{abi::domid::self, 0, 0};
    PX_CHECK_EQ(call(abi::GnttabOp::get_version, &version), i64{0});
    PX_CHECK_EQ(version.version, 2u);

    auto* const table = static_cast<abi::GrantEntryV2*>(grant_table_frame());
    volatile u16* const status = grant_status_frame();
    table[full_ref].full_page = {{0, self}, 0, frame_of(lent)};
    table[part_ref].sub_page = {{0, self}, 64, 32, frame_of(lent)};
    table[via_ref].transitive = {{0, self}, self, 0, full_ref};
    std::atomic_ref{table[full_ref].hdr.flags}.store(abi::gtf::permit_access);
    std::atomic_ref{table[part_ref].hdr.flags}.store(abi::gtf::permit_access | abi::gtf::sub_page);
    std::atomic_ref{table[via_ref].hdr.flags}.store(abi::gtf::transitive);

    lent[8] = pattern;
    PX_CHECK_EQ(number(copy_from_grant(self, full_ref, 64, buffer, 8)), 0);
    PX_CHECK_EQ(buffer[0], pattern);
    buffer[0] = 0;
    PX_CHECK_EQ(number(copy_from_grant(self, part_ref, 64, buffer, 32)), 0);
    PX_CHECK_EQ(buffer[0], pattern);
    PX_CHECK(number(copy_from_grant(self, part_ref, 0, buffer, 8)) < 0);                                   // before the part
    PX_CHECK(number(copy_from_grant(self, part_ref, 64, buffer, 33)) < 0);                                 // beyond it
    PX_CHECK_EQ(number(copy_from_grant(self, via_ref, 64, buffer, 8)), number(GntStatus::general_error));  // points at itself

    // What copies leave behind: nothing, in the status words as in the entries, which are the guest's alone.
    PX_CHECK_EQ(u16{status[full_ref]}, 0);
    PX_CHECK_EQ(table[full_ref].hdr.flags, abi::gtf::permit_access);
    PX_CHECK(map_grant(self, part_ref, grant_window(), abi::gntmap::host_map).status != GntStatus::okay);  // parts: copies only

    u64 frames[2] = {0, 0};
    abi::GnttabGetStatusFrames get{1, abi::domid::self, -1, handle(frames)};
    PX_CHECK_EQ(call(abi::GnttabOp::get_status_frames, &get), minus(Errno::enosys));  // HVM guests map them instead
    PX_CHECK_EQ(set_grant_version(1), i64{0});
}

}  // namespace px::guest
