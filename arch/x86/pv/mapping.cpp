// What an entry of an L1 table maps.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/mapping.hpp"

#include "arch/x86/pv/guest.hpp"
#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/table.hpp"
#include "arch/x86/pv/type_machine.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::pv {
namespace {

/// References beyond which a guest gets no more: other users' must not be the ones that fail.
constexpr u32 most_references = u32{1} << 31;

/// Device memory isn't cached: write-back and write-through become uncached. The host's PAT is the ABI's [xen/public xen.h].
Entry uncached(Entry entry) {
    switch (entry.raw & Entry::cache_bits) {
    case 0:
    case Entry::bit_write_through:
    case Entry::bit_write_through | Entry::bit_pat:
        return {(entry.raw & ~Entry::cache_bits) | Entry::bit_write_through | Entry::bit_uncached};
    default: return entry;
    }
}

Result<Entry> take_device_page(Entry entry, Domain& tables, const PageOwner& pages) {
    constexpr Mfn no_frame{Entry::frame_bits >> page_shift};
    const Mfn mfn = entry.mfn();
    REQUIRE(mfn != no_frame, einval);
    REQUIRE(pages.kind != PageOwner::Kind::hypervisor, eperm);
    REQUIRE(machine::may_use_io(pages.domain, mfn) && machine::may_use_io(tables, mfn), eperm);
    if (machine::io_is_read_only(mfn)) entry.raw &= ~Entry::bit_writable;
    return uncached(entry);
}

/// Whether the owner's number alone says that its pages may not be mapped.
bool is_out_of_question(const Domain& tables, const PageOwner& pages, const Domain* owner) {
    switch (pages.kind) {
    case PageOwner::Kind::device_memory: return true;
    case PageOwner::Kind::hypervisor: return owner != nullptr;
    case PageOwner::Kind::domain: break;
    }
    return owner == nullptr || (owner != &pages.domain && &pages.domain == &tables);
}

/// HVM domains' frames have no types.
bool counts_uses(const Frame& frame) { return frame.owner != nullptr && !frame.owner->settings.hvm; }

Result<> take_writable(Frame& frame) {
    const FrameType type = use_of(frame).type;
    REQUIRE(type != FrameType::shared || frame.owner != nullptr, ebusy);
    if (type == FrameType::shared || !counts_uses(frame)) return {};
    const Result<Progress> acquired = acquire(frame, FrameType::writable);
    REQUIRE(acquired.ok(), ebusy);
    return {};
}

}  // namespace

Result<Entry> take_page(Entry entry, Domain& tables, const PageOwner& pages) {
    if (!entry.present()) {
        TRY(check_not_present(tables, entry));
        return entry;
    }
    REQUIRE(!entry.has(forbidden_bits(Level::l1, machine::has_devices(tables))), einval);
    if (!has_frame(entry.mfn())) return take_device_page(entry, tables, pages);
    Frame& frame = frame_of(entry.mfn());
    // Frames that are out of question aren't even touched: who frees one of ours counts on having the only reference, and who
    // drops a stranger's last one may have to take down its domain. Until we hold a frame, its owner is no more than a number.
    Domain* const owner = frame.owner;
    REQUIRE(!is_out_of_question(tables, pages, owner), ebusy);
    REQUIRE(owner != nullptr || use_of(frame).type == FrameType::shared, ebusy);
    REQUIRE(frame.references.load(std::memory_order_relaxed) < most_references, ebusy);
    REQUIRE(try_get_frame(frame, owner), ebusy);
    FrameRef reference(frame);
    // A privileged owner of pages may pass on its right to those of a domain that it controls.
    REQUIRE(owner == nullptr || owner == &pages.domain || may_control(pages.domain, *owner), ebusy);
    if (entry.writable()) TRY(take_writable(frame));
    (void)reference.release();
    return entry;
}

void drop_page(Entry entry, Domain& tables) {
    if (!entry.present() || !has_frame(entry.mfn())) return;
    Frame& frame = frame_of(entry.mfn());
    const FrameUse use = use_of(frame);
    if (entry.writable()) {
        if (use.type != FrameType::shared && counts_uses(frame)) release_at_once(frame);
    } else if (use.type == FrameType::descriptors && use.count != 0 && frame.owner == &tables) {
        // A page of the LDT may have been mapped here; it is found again by its linear address when it is next used.
        if (Guest* const guest = machine::guest_of(tables)) guest->forget_ldts();
    }
    put_frame(frame);
}

}  // namespace px::pv
