// Grants in the page tables of a PV guest.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/grant_mapping.hpp"

#include "arch/x86/pv/mapping.hpp"
#include "arch/x86/pv/update.hpp"
#include "hypervisor/abi/grant_table.hpp"

namespace px::pv {
namespace {

/// One L1 entry, with a reference to its table.
struct Slot {
    FrameRef table;
    unsigned index;

    /// Errors: einval.
    static Result<Slot> find(VcpuMemory& caller, const GrantPlace& place) {
        if (!place.is_entry) return Slot{TRY(find_l1(caller, place.address)), slot_of(place.address, Level::l1)};
        const Mfn mfn = to_mfn(Paddr{place.address});
        REQUIRE(place.address % sizeof(Entry) == 0, einval);
        REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &caller.vcpu.domain), einval);
        return Slot{FrameRef(frame_of(mfn)), static_cast<unsigned>(place.address % page_size / sizeof(Entry))};
    }
    /// Errors: einval where it isn't a valid L1.
    Result<LockedTable> lock() const {
        auto locked = TRY(LockedTable::lock(*table));
        REQUIRE(locked.level() == Level::l1, einval);
        return locked;
    }
    /// Writes `wanted` where an entry is that `fits`, and gives that one. Errors: einval.
    template <class Fits>
    Result<Entry> exchange(Fits fits, Entry wanted) const {
        const LockedTable locked = TRY(lock());
        Entry found = locked.entries().at(index);
        do { REQUIRE(fits(found), einval); } while (!locked.entries().replace(index, found, wanted));
        return found;
    }
};

/// The granter's frame is held by the caller's pin. Errors: ebusy.
Result<> hold(Entry entry) {
    Frame& frame = frame_of(entry.mfn());
    const bool counts = !frame.owner->settings.hvm && use_of(frame).type != FrameType::shared;
    if (entry.writable() && counts) REQUIRE(acquire(frame, FrameType::writable).ok(), ebusy);
    get_frame_reference(frame);
    return {};
}

bool maps_the_same(Entry a, Entry b) {
    constexpr u64 what = Entry::frame_bits | Entry::bit_present | Entry::bit_writable;
    return ((a.raw ^ b.raw) & what) == 0;
}

}  // namespace

Entry grant_entry(Mfn mfn, u32 flags) {
    constexpr unsigned software_shift = 9;
    u64 bits = Entry::bit_present | Entry::accessed_dirty;
    if ((flags & abi::gntmap::application_map) != 0) bits |= Entry::bit_user;
    if ((flags & abi::gntmap::readonly) == 0) bits |= Entry::bit_writable;
    bits |= (u64{flags} >> abi::gntmap::guest_avail0_bit << software_shift) & Entry::bits_software;
    return adjusted(Entry{bits}.with_mfn(mfn), Level::l1);
}

Result<> place_grant(VcpuMemory& caller, const GrantPlace& place, Entry entry) {
    Domain& domain = caller.vcpu.domain;
    const Slot slot = TRY(Slot::find(caller, place));
    TRY(hold(entry));
    const auto old = slot.exchange([](Entry) { return true; }, entry);
    drop_page(old.ok() ? *old : entry, domain);
    if (!old) return Err{old.error()};
    return {};
}

Result<TlbFlush> remove_grant(VcpuMemory& caller, const GrantPlace& place, Entry entry, u64 replacement) {
    Domain& domain = caller.vcpu.domain;
    const auto is_ours = [&](Entry found) { return maps_the_same(found, entry); };
    const Slot slot = TRY(Slot::find(caller, place));
    Entry instead{0};
    if (replacement != 0) {
        REQUIRE(!place.is_entry, einval);
        const Slot from = TRY(Slot::find(caller, {replacement}));
        REQUIRE(is_ours(TRY(slot.lock()).entries().at(slot.index)), einval);
        instead = TRY(from.exchange([](Entry found) { return found.present(); }, Entry{0}));
    }
    const auto old = slot.exchange(is_ours, instead);
    // What holds a reference and is in no table now: ours, or, where the guest was faster, its own.
    drop_page(old.ok() ? *old : instead, domain);
    if (!old) return Err{old.error()};
    return TlbFlush::all(machine::cpus_of(domain));
}

}  // namespace px::pv
