// Grant tables: lending. The protocol of the shared entries, and what others have pinned.
//
// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "arch/frame_access.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/domain/grant_table.hpp"

namespace px {
namespace {

using abi::GntStatus;

/// How often a guest may change an entry while we claim it.
constexpr unsigned patience = 5;

constexpr u16 use_of(bool write) { return write ? abi::gtf::reading | abi::gtf::writing : abi::gtf::reading; }

/// Flags and domain of an entry are read and changed together: the guest may change either at any time.
using Header = abi::GrantEntryHeader;
u32& word(Header& header) { return reinterpret_cast<u32&>(header); }
Header load(Header& header) { return std::bit_cast<Header>(__atomic_load_n(&word(header), __ATOMIC_SEQ_CST)); }
bool replace(Header& header, Header expected, Header wanted) {
    u32 old = std::bit_cast<u32>(expected);
    return __atomic_compare_exchange_n(&word(header), &old, std::bit_cast<u32>(wanted), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

bool permits(Header header, DomId user, bool write) {
    return (header.flags & abi::gtf::type_mask) == abi::gtf::permit_access && header.domid == user.raw &&
           !(write && (header.flags & abi::gtf::readonly) != 0);
}

}  // namespace

/// Version 1: the use is noted in the same word that says what is permitted, so both change or none.
GrantResult<GrantTable::Grant> GrantTable::claim_v1(const Table& table, GrantRef ref, DomId user, bool write) {
    abi::GrantEntryV1& entry = table.v1(ref);
    Header& header = table.header(ref);
    for (unsigned i = 0; i < patience; ++i) {
        const Header old = load(header);
        if (!permits(old, user, write)) return Err{GntStatus::general_error};
        if (replace(header, old, {static_cast<u16>(old.flags | use_of(write)), old.domid})) {
            return Grant{.gfn = Gfn{__atomic_load_n(&entry.frame, __ATOMIC_RELAXED)}};
        }
    }
    return Err{GntStatus::general_error};
}

/// Version 2: the use is noted elsewhere. Note it, then look whether the grant still stands: a guest that takes it back
/// first makes it invalid, then looks at the use.
GrantResult<GrantTable::Grant> GrantTable::claim_v2(const Table& table, GrantRef ref, const Pin& pin, DomId user, bool write,
                                                    bool whole_page) {
    if (!permits(load(table.header(ref)), user, write)) return Err{GntStatus::general_error};
    __atomic_fetch_or(&table.use_flags(ref), use_of(write), __ATOMIC_SEQ_CST);
    const Header header = load(table.header(ref));
    const abi::GrantEntryV2& entry = table.v2(ref);
    const bool sub_page = (header.flags & abi::gtf::sub_page) != 0;
    Grant grant{.gfn = Gfn{__atomic_load_n(&entry.full_page.frame, __ATOMIC_RELAXED)}};
    if (sub_page) {
        grant.start = __atomic_load_n(&entry.sub_page.page_off, __ATOMIC_RELAXED);
        grant.length = __atomic_load_n(&entry.sub_page.length, __ATOMIC_RELAXED);
    }
    if (!permits(header, user, write) || (sub_page && whole_page) || u32{grant.start} + grant.length > page_size) {
        clear_use(table, ref, pin);
        return Err{GntStatus::general_error};
    }
    return grant;
}

/// Takes back what was noted of a use that has ended, or didn't come about.
void GrantTable::clear_use(const Table& table, GrantRef ref, const Pin& pin) {
    if (table.gone) return;
    u16 ended = 0;
    if (pin.writers == 0) ended |= abi::gtf::writing;
    if (!pin.pinned()) ended |= abi::gtf::reading;
    if (ended != 0) __atomic_fetch_and(&table.use_flags(ref), static_cast<u16>(~ended), __ATOMIC_SEQ_CST);
}

GrantResult<GrantTable::Pin*> GrantTable::find_pin(Table& table, GrantRef ref) {
    PinPage*& page = table.pins[ref.raw / pins_per_page];
    if (page == nullptr) {
        auto fresh = make<PinPage>();
        if (!fresh) return Err{GntStatus::general_error};
        page = fresh->release();
    }
    return &page->pins[ref.raw % pins_per_page];
}

/// The first use of an entry, or the first for writing. `rejected`: a frame that can't be lent, to be dropped without the lock.
GrantResult<> GrantTable::fill_pin(Table& table, GrantRef ref, Pin& pin, DomId user, bool write, bool whole_page, FrameRef& rejected) {
    const Grant grant = TRY(table.version == 1 ? claim_v1(table, ref, user, write) : claim_v2(table, ref, pin, user, write, whole_page));
    auto frame = domain_.physmap.get_frame(grant.gfn, write);
    // Only the domain's own memory: a frame that it maps itself isn't its to lend. While pinned the entry means one frame.
    const bool lendable = frame.ok() && (**frame).owner == &domain_;
    if (!lendable || (pin.pinned() && frame->mfn() != pin.frame.mfn())) {
        clear_use(table, ref, pin);
        if (frame.ok()) rejected = std::move(*frame);
        return Err{lendable ? GntStatus::general_error : GntStatus::bad_page};
    }
    if (write && !arch::hold_writable(**frame)) {
        clear_use(table, ref, pin);
        rejected = std::move(*frame);
        return Err{GntStatus::general_error};
    }
    if (pin.pinned()) return {};
    pin.frame = std::move(*frame);
    pin.domid = user.raw;
    pin.start = grant.start;
    pin.length = grant.length;
    return {};
}

GrantResult<GrantPin> GrantTable::pin(DomId user, GrantRef ref, bool write, bool whole_page) {
    FrameRef rejected;
    auto table = table_.lock();
    if (table->gone || ref.raw >= table->entries()) return Err{GntStatus::bad_gntref};
    Pin& pin = *TRY(find_pin(*table, ref));
    if (pin.pinned()) {
        if (pin.domid != user.raw) return Err{GntStatus::general_error};
        if (whole_page && pin.length != page_size) return Err{GntStatus::general_error};
    }
    if (!pin.pinned() || (write && pin.writers == 0)) TRY(fill_pin(*table, ref, pin, user, write, whole_page, rejected));
    ++(write ? pin.writers : pin.readers);
    GrantPin result;
    result.table_ = this;
    result.ref_ = ref;
    result.writable_ = write;
    result.mfn = pin.frame.mfn();
    result.start = pin.start;
    result.length = pin.length;
    return result;
}

void GrantTable::unpin(GrantRef ref, bool writable) {
    FrameRef last;  // dropped without the lock: it may be what keeps this domain
    auto table = table_.lock();
    Pin& pin = table->pins[ref.raw / pins_per_page]->pins[ref.raw % pins_per_page];
    --(writable ? pin.writers : pin.readers);
    if (writable && pin.writers == 0) arch::drop_writable(*pin.frame);
    clear_use(*table, ref, pin);
    if (!pin.pinned()) last = std::move(pin.frame);
    table.unlock();
}

}  // namespace px
