// Grant tables; see grants.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/grants.hpp"

#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

alignas(page_size) constinit u8 table_page[page_size]{};
alignas(page_size) constinit u8 status_page[page_size]{};
alignas(page_size) constinit u8 window_page[page_size]{};

void* map_table(void* page, u64 index) {
    abi::AddToPhysmap map{abi::domid::self, 0, static_cast<u32>(abi::MapSpace::grant_table), index, frame_of(page)};
    if (const i64 error = call(abi::MemoryOp::add_to_physmap, &map)) {
        print("add_to_physmap(grant table, {x}): {}\n", index, error);
        give_up("no grant table");
    }
    return page;
}

u16 offset_in_page(const void* address) { return reinterpret_cast<u64>(address) % page_size; }

abi::GntStatus copy(abi::GnttabCopy& operation) {
    if (call(abi::GnttabOp::copy, &operation)) give_up("GNTTABOP_copy itself failed");
    return static_cast<abi::GntStatus>(operation.status);
}

}  // namespace

void* grant_table_frame() { return map_table(table_page, 0); }
u16* grant_status_frame() { return static_cast<u16*>(map_table(status_page, abi::mapidx_grant_table_status)); }

u64 grant_window() {
    static bool released = false;
    if (!released) {
        u64 frame = frame_of(window_page);
        abi::MemoryReservation give{handle(&frame), 1, 0, 0, abi::domid::self};
        if (call(abi::MemoryOp::decrease_reservation, &give) != 1) give_up("decrease_reservation failed");
        released = true;
    }
    return reinterpret_cast<u64>(window_page);
}

i64 set_grant_version(u32 version) {
    abi::GnttabSetVersion set{version};
    return call(abi::GnttabOp::set_version, &set);
}

abi::GntStatus copy_from_grant(u16 owner, u32 ref, u16 offset, void* to, u16 length) {
    abi::GnttabCopy operation{};
    operation.source.u.ref = ref;
    operation.source.domid = owner;
    operation.source.offset = offset;
    operation.dest.u.gmfn = frame_of(to);
    operation.dest.domid = abi::domid::self;
    operation.dest.offset = offset_in_page(to);
    operation.len = length;
    operation.flags = abi::gntcopy::source_gref;
    return copy(operation);
}

abi::GntStatus copy_to_grant(u16 owner, u32 ref, u16 offset, const void* from, u16 length) {
    abi::GnttabCopy operation{};
    operation.source.u.gmfn = frame_of(from);
    operation.source.domid = abi::domid::self;
    operation.source.offset = offset_in_page(from);
    operation.dest.u.ref = ref;
    operation.dest.domid = owner;
    operation.dest.offset = offset;
    operation.len = length;
    operation.flags = abi::gntcopy::dest_gref;
    return copy(operation);
}

GrantMapping map_grant(u16 owner, u32 ref, u64 address, u32 flags) {
    abi::GnttabMapGrantRef map{};
    map.host_addr = address;
    map.flags = flags;
    map.ref = ref;
    map.dom = owner;
    if (call(abi::GnttabOp::map_grant_ref, &map)) give_up("GNTTABOP_map_grant_ref itself failed");
    return {static_cast<abi::GntStatus>(map.status), map.handle};
}

abi::GntStatus unmap_grant(u64 address, u32 handle) {
    abi::GnttabUnmapGrantRef unmap{};
    unmap.host_addr = address;
    unmap.handle = handle;
    if (call(abi::GnttabOp::unmap_grant_ref, &unmap)) give_up("GNTTABOP_unmap_grant_ref itself failed");
    return static_cast<abi::GntStatus>(unmap.status);
}

}  // namespace px::guest
