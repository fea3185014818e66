// Grant tables: size, version, the frames that are shared with the guest.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/grant_table.hpp"

#include <array>
#include <cstring>

#include "hypervisor/domain/domain.hpp"

namespace px {
namespace {

constexpr u32 v1_per_frame = page_size / sizeof(abi::GrantEntryV1);
constexpr u32 v2_per_frame = page_size / sizeof(abi::GrantEntryV2);
constexpr u32 most_frames = 65536;  ///< of any domain, whatever its settings say
constexpr u32 reserved = abi::gnttab_nr_reserved_entries;

template <class T>
T& entry_in(Mfn frame, u32 index) {
    return static_cast<T*>(to_virtual(frame))[index];
}

}  // namespace

Result<> GrantTable::create() {
    REQUIRE(max_frames() >= 1 && max_frames() <= most_frames, einval);
    Table& table = table_.unlocked();
    table.shared = TRY(HeapArray<Shared>::create(max_frames()));
    table.status = TRY(HeapArray<Shared>::create(table.status_frames_for(max_frames())));
    table.pins = TRY(HeapArray<PinPage*>::create(max_frames() * (v1_per_frame / pins_per_page)));
    return {};
}

GrantTable::~GrantTable() {
    Table& table = table_.unlocked();
    for (u32 i = 0; i < table.frames; ++i) put_frame(frame_of(table.shared[i].mfn));
    for (u32 i = 0; i < table.status_frames; ++i) put_frame(frame_of(table.status[i].mfn));
    for (PinPage* page : table.pins) {
        if (page != nullptr) HeapDelete<PinPage>{}(page);
    }
    for (MapPage* page : maps_.unlocked().pages) {
        if (page != nullptr) HeapDelete<MapPage>{}(page);
    }
}

u32 GrantTable::Table::entries() const { return frames * (version == 1 ? v1_per_frame : v2_per_frame); }
u32 GrantTable::Table::status_frames_for(u32 grant_frames) const {
    return (grant_frames * v2_per_frame + status_words_per_frame - 1) / status_words_per_frame;
}
abi::GrantEntryV1& GrantTable::Table::v1(GrantRef ref) const {
    return entry_in<abi::GrantEntryV1>(shared[ref.raw / v1_per_frame].mfn, ref.raw % v1_per_frame);
}
abi::GrantEntryV2& GrantTable::Table::v2(GrantRef ref) const {
    return entry_in<abi::GrantEntryV2>(shared[ref.raw / v2_per_frame].mfn, ref.raw % v2_per_frame);
}
abi::GrantEntryHeader& GrantTable::Table::header(GrantRef ref) const {
    return version == 1 ? reinterpret_cast<abi::GrantEntryHeader&>(v1(ref)) : v2(ref).hdr;
}
u16& GrantTable::Table::use_flags(GrantRef ref) const {
    if (version == 1) return v1(ref).flags;
    return entry_in<abi::GrantStatusWord>(status[ref.raw / status_words_per_frame].mfn, ref.raw % status_words_per_frame);
}
bool GrantTable::Table::pinned(GrantRef ref) const {
    const PinPage* const page = pins[ref.raw / pins_per_page];
    return page != nullptr && page->pins[ref.raw % pins_per_page].pinned();
}

u32 GrantTable::version() { return table_.lock()->version; }
u32 GrantTable::frame_count() { return table_.lock()->frames; }
u32 GrantTable::max_frames() const { return domain_.settings.max_grant_frames; }
u32 GrantTable::status_frame_count() {
    auto table = table_.lock();
    return table->version == 2 ? table->status_frames : 0;
}
Gfn GrantTable::frame_gfn(u32 index, bool status) {
    auto table = table_.lock();
    if (index >= (status ? table->status_frames : table->frames)) return invalid_gfn;
    return (status ? table->status : table->shared)[index].seen_at;
}

Result<> GrantTable::add_frame(HeapArray<Shared>& list, u32& count) {
    const Mfn mfn = TRY(domain_.memory.allocate_shared());
    list[count] = {mfn, domain_.physmap.is_translated() ? invalid_gfn : Gfn{mfn.raw}};
    ++count;
    return {};
}

Result<> GrantTable::grow_status(Table& table, u32 status_frames) {
    while (table.status_frames < status_frames) TRY(add_frame(table.status, table.status_frames));
    return {};
}

Result<> GrantTable::grow_table(Table& table, u32 frames) {
    REQUIRE(!table.gone && frames <= max_frames(), einval);
    // Status words first: an entry never is without one.
    if (table.version == 2) TRY(grow_status(table, table.status_frames_for(frames)));
    while (table.frames < frames) TRY(add_frame(table.shared, table.frames));
    return {};
}

Result<> GrantTable::grow(u32 frames) {
    auto table = table_.lock();
    return grow_table(*table, frames);
}

Result<Mfn> GrantTable::frame_for_mapping(u32 index, bool status, Gfn at) {
    auto table = table_.lock();
    REQUIRE(!table->gone && index < max_frames(), einval);
    HeapArray<Shared>& list = status ? table->status : table->shared;
    if (status) {
        REQUIRE(table->version == 2 && index < table->status.size(), einval);
        if (index >= table->status_frames) TRY(grow_table(*table, index * (status_words_per_frame / v2_per_frame) + 1));
    } else if (index >= table->frames) {
        TRY(grow_table(*table, index + 1));
    }
    if (at != invalid_gfn) list[index].seen_at = at;
    return list[index].mfn;
}

Result<Mfn> GrantTable::resource_frame(u32 id, u32 index) {
    REQUIRE(id <= 1, einval);
    return frame_for_mapping(index, id == 1);
}

Result<> GrantTable::set_version(u32 version) {
    REQUIRE(version == 1 || version == 2, einval);
    REQUIRE(version <= domain_.settings.max_grant_version, enosys);
    auto table = table_.lock();
    if (version == table->version) return {};
    for (GrantRef ref{reserved}; ref.raw < table->entries(); ++ref) REQUIRE(!table->pinned(ref), ebusy);
    if (version == 2) TRY(grow_status(*table, table->status_frames_for(table->frames)));
    else TRY(check_representable(*table));
    convert(*table, version);
    return {};
}

Result<> GrantTable::check_representable(const Table& table) const {
    for (GrantRef ref{0}; ref.raw < std::min(reserved, table.entries()); ++ref) {
        const abi::GrantEntryV2 entry = table.v2(ref);
        const u16 type = entry.hdr.flags & abi::gtf::type_mask;
        REQUIRE(type != abi::gtf::transitive, erange);
        REQUIRE(type != abi::gtf::permit_access || entry.full_page.frame >> 32 == 0, erange);
    }
    return {};
}

/// The toolstack's entries may be pinned while the guest changes the version: their use goes with them.
void GrantTable::convert(Table& table, u32 version) {
    constexpr u16 use = abi::gtf::reading | abi::gtf::writing;
    struct Kept {
        u16 flags, domid;
        u32 frame;
        u16 in_use;
    };
    std::array<Kept, reserved> kept{};
    for (GrantRef ref{0}; ref.raw < std::min(reserved, table.entries()); ++ref) {
        const abi::GrantEntryHeader header = table.header(ref);
        if ((header.flags & abi::gtf::type_mask) != abi::gtf::permit_access) continue;
        const u32 frame = table.version == 1 ? table.v1(ref).frame : static_cast<u32>(table.v2(ref).full_page.frame);
        kept[ref.raw] = {static_cast<u16>(header.flags & ~use), header.domid, frame, static_cast<u16>(table.use_flags(ref) & use)};
    }
    for (u32 i = 0; i < table.frames; ++i) std::memset(to_virtual(table.shared[i].mfn), 0, page_size);
    for (u32 i = 0; i < table.status_frames; ++i) std::memset(to_virtual(table.status[i].mfn), 0, page_size);
    table.version = static_cast<u8>(version);
    for (GrantRef ref{0}; ref.raw < std::min(reserved, table.entries()); ++ref) {
        const Kept& old = kept[ref.raw];
        if (version == 1) table.v1(ref).frame = old.frame;
        else table.v2(ref).full_page.frame = old.frame;
        table.header(ref).domid = old.domid;
        table.header(ref).flags = old.flags;
        table.use_flags(ref) |= old.in_use;
    }
}

GrantResult<> GrantTable::swap(GrantRef a, GrantRef b) {
    auto table = table_.lock();
    if (a.raw >= table->entries() || b.raw >= table->entries()) return Err{abi::GntStatus::bad_gntref};
    if (a == b) return {};
    if (table->pinned(a) || table->pinned(b)) return Err{abi::GntStatus::eagain};
    if (table->version == 1) {
        std::swap(table->v1(a), table->v1(b));
    } else {
        std::swap(table->v2(a), table->v2(b));
        std::swap(table->use_flags(a), table->use_flags(b));
    }
    return {};
}

void GrantTable::dump() {
    auto table = table_.lock();
    log_reply("domain {}: grant table version {}, {} of {} frames", domain_.id, u32{table->version}, table->frames, max_frames());
    for (GrantRef ref{0}; ref.raw < table->entries(); ++ref) {
        if (!table->pinned(ref)) continue;
        const Pin& pin = table->pins[ref.raw / pins_per_page]->pins[ref.raw % pins_per_page];
        log_reply("  [{}] to domain {}: frame {:#x}, {} readers, {} writers", ref, pin.domid, pin.frame.mfn(), pin.readers, pin.writers);
    }
}

}  // namespace px
