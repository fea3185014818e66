// Grants between two domains. The granter (no `granter=`) offers pages to the domains numbered just after it; the other,
// told the granter's number, maps, reads, writes and unmaps them, and tells the granter in the page itself. `version=`
// is that of the granter's table.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/grants.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

using abi::GntStatus;
constexpr u32 first_ref = 8, peers = 16;
constexpr u64 offered = 0x0ffe'7ed0'0000'0000, answered = 0xa25e'7ed0'0000'0000;
constexpr u16 in_use = abi::gtf::reading | abi::gtf::writing;

/// One page for writing and one to read, per peer that may come: refs 2n and 2n + 1 after the first.
alignas(page_size) constinit u64 pages[2 * peers][page_size / 8]{};
int number(GntStatus status) { return static_cast<int>(status); }

/// The granter's table, of either version.
class Table {
public:
    explicit Table(u64 version) : v2_(version == 2), frame_(grant_table_frame()) {
        if (v2_) status_ = grant_status_frame();
    }
    void grant(u32 ref, u16 to, const void* page, u16 flags) {
        flags |= abi::gtf::permit_access;
        if (v2_) {
            auto& entry = static_cast<abi::GrantEntryV2*>(frame_)[ref];
            entry.full_page = {{0, to}, 0, frame_of(page)};
            std::atomic_ref{entry.hdr.flags}.store(flags);
        } else {
            auto& entry = static_cast<abi::GrantEntryV1*>(frame_)[ref];
            entry = {0, to, static_cast<u32>(frame_of(page))};
            std::atomic_ref{entry.flags}.store(flags);
        }
    }
    u16 use(u32 ref) {
        u16& word = v2_ ? status_[ref] : static_cast<abi::GrantEntryV1*>(frame_)[ref].flags;
        return std::atomic_ref{word}.load() & in_use;
    }

private:
    bool v2_;
    void* frame_;
    u16* status_ = nullptr;
};

void nap() {
    abi::SchedPoll poll{{0}, 0, system_time() + 5'000'000};
    call(abi::SchedOp::poll, &poll);
}

void granter() {
    const u16 self = own_domid();
    const u64 version = option("version", 1);
    PX_CHECK_EQ(set_grant_version(version), i64{0});
    Table table{version};
    for (u32 n = 0; n < peers; ++n) {
        for (u32 page : {2 * n, 2 * n + 1}) {
            pages[page][1] = offered + page;
            table.grant(first_ref + page, self + 1 + n, pages[page], page % 2 ? abi::gtf::readonly : 0);
        }
    }
    print("PX-GRANTS offered by {}\n", self);

    u32 peer = peers;
    const u64 deadline = system_time() + option("patience", 60) * 1'000'000'000;
    while (peer == peers && system_time() < deadline) {
        for (u32 n = 0; n < peers; ++n) {
            if (std::atomic_ref{pages[2 * n][2]}.load() == answered) peer = n;
        }
        nap();
    }
    if (peer == peers) give_up("nobody answered");
    PX_CHECK_EQ(pages[2 * peer][3], offered + 2 * peer + 1);  // it saw the read-only page too
    PX_CHECK_EQ(pages[2 * peer + 1][0], u64{0});              // and could not write there
    for (u32 ref : {first_ref + 2 * peer, first_ref + 2 * peer + 1}) {
        while (table.use(ref) && system_time() < deadline) nap();
        PX_CHECK_EQ(table.use(ref), 0);  // unmapped, so not in use
    }
}

void mapper(u16 granter) {
    const u32 page = 2 * (own_domid() - granter - 1);
    const u64 window = grant_window();
    auto* const mapped = reinterpret_cast<volatile u64*>(window);

    GrantMapping mapping = map_grant(granter, first_ref + page + 1, window, abi::gntmap::host_map | abi::gntmap::readonly);
    PX_CHECK_EQ(number(mapping.status), 0);
    if (mapping.status != GntStatus::okay) return;
    const u64 read = mapped[1];
    PX_CHECK_EQ(read, offered + page + 1);
    probe_write32(window, 1);  // faults or is dropped; the granter looks that nothing was written
    PX_CHECK_EQ(mapped[0], u64{0});
    PX_CHECK_EQ(number(unmap_grant(window, mapping.handle)), 0);
    PX_CHECK_EQ(number(unmap_grant(window, mapping.handle)), number(GntStatus::bad_handle));
    PX_CHECK_EQ(number(map_grant(granter, first_ref + page + 1, window, abi::gntmap::host_map).status), number(GntStatus::general_error));

    mapping = map_grant(granter, first_ref + page, window, abi::gntmap::host_map);
    PX_CHECK_EQ(number(mapping.status), 0);
    PX_CHECK_EQ(mapped[1], offered + page);
    mapped[3] = read;
    if (option("die", 0)) {  // ends while it holds the mapping: the hypervisor must take it back
        mapped[2] = answered;
        return;
    }
    if (const u64 seconds = option("hold", 0)) {  // the granter is destroyed meanwhile: its page stays what it was
        print("PX-GRANTS held\n");
        for (const u64 end = system_time() + seconds * 1'000'000'000; system_time() < end; nap()) PX_CHECK_EQ(mapped[1], offered + page);
        PX_CHECK_EQ(number(unmap_grant(window, mapping.handle)), 0);
        return;
    }
    PX_CHECK_EQ(number(unmap_grant(window, mapping.handle)), 0);
    const u64 done = answered;
    PX_CHECK_EQ(number(copy_to_grant(granter, first_ref + page, 16, &done, 8)), 0);
}

}  // namespace

void guest_main() {
    const u64 other = option("granter", ~u64{0});
    if (other == ~u64{0}) granter();
    else mapper(static_cast<u16>(other));
}

}  // namespace px::guest
