// HYPERVISOR_mmu_update, HYPERVISOR_update_va_mapping(_otherdomain). [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/hypercalls.hpp"

#include "arch/x86/pv/batch.hpp"
#include "arch/x86/pv/tlb_flush.hpp"
#include "arch/x86/pv/update.hpp"

namespace px::pv {
namespace {

using abi::MmuUpdateType;

/// Whose tables, and whose pages they may name.
struct Owners {
    DomainRef tables;
    NamedOwner pages;
};

/// FD in the low half, the tables' owner plus one above it, 0 for the caller.
/// Errors: einval (no such owner of tables, or one without vCPUs), eperm, eopnotsupp (its tables are its own), esrch.
Result<Owners> find_owners(Vcpu& caller, u32 owners) {
    DomainRef tables(caller.domain);
    if (const u32 number = owners >> 16; number != 0) {
        auto found = find_domain(DomId{static_cast<u16>(number - 1)});
        REQUIRE(found.ok() && (**found).vcpu_count() != 0, einval);
        REQUIRE(&**found == &caller.domain || may_control(caller.domain, **found), eperm);
        tables = std::move(*found);
    }
    REQUIRE(!tables->settings.hvm, eopnotsupp);
    NamedOwner pages = TRY(find_page_owner(caller, static_cast<u16>(owners)));
    return Owners{std::move(tables), std::move(pages)};
}

/// An owner with a physmap: the entry names one of its frame numbers. The reference keeps the frame until the entry has its own.
/// Errors: einval.
struct Translated {
    Entry entry;
    FrameRef frame;
};
Result<Translated> translate(const NamedOwner& pages, Entry entry, MmuUpdateType type) {
    const bool by_number =
        pages.kind == PageOwner::Kind::domain && pages.domain->settings.hvm && type != MmuUpdateType::pt_update_no_translate;
    if (!by_number || !entry.present()) return Translated{entry, {}};
    auto frame = pages.domain->physmap.get_frame(Gfn{entry.mfn().raw}, entry.writable());
    REQUIRE(frame.ok(), einval);
    return Translated{entry.with_mfn(frame->mfn()), std::move(*frame)};
}

Result<Progress> update_entry(VcpuMemory& caller, const Owners& owners, Paddr at, u64 value, MmuUpdateType type, OpenTable& open) {
    const Translated wanted = TRY(translate(owners.pages, Entry{value}, type));
    return change_word(caller, *owners.tables, at, wanted.entry, owners.pages.pages(), type == MmuUpdateType::pt_update_preserve_ad, open);
}

/// The frame's owner says which of its frame numbers it is. Errors: einval.
Result<Progress> update_m2p(const NamedOwner& owner, Mfn mfn, u64 pfn) {
    REQUIRE(owner.kind == PageOwner::Kind::domain && !owner.domain->settings.hvm, einval);
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &*owner.domain), einval);
    const FrameRef frame(frame_of(mfn));
    machine::set_m2p(mfn, pfn);
    return Progress::done;
}

Result<Progress> update(VcpuMemory& caller, const Owners& owners, const abi::MmuUpdate& op, OpenTable& open) {
    constexpr u64 type_bits = sizeof(Entry) - 1;
    const auto type = static_cast<MmuUpdateType>(op.ptr & type_bits);
    REQUIRE(type <= MmuUpdateType::pt_update_no_translate, enosys);
    if (type == MmuUpdateType::machphys_update) return update_m2p(owners.pages, to_mfn(Paddr{op.ptr}), op.val);
    return update_entry(caller, owners, Paddr{op.ptr & ~type_bits}, op.val, type, open);
}

Result<Reply> update_va(Vcpu& caller, HypercallArgs& args, const NamedOwner& pages) {
    VcpuMemory& memory = *TRY(memory_of(caller));
    const u64 linear = args[0];
    const TlbFlush flush = TRY(TlbFlush::from_flags(caller, args[2], linear));
    const FrameRef table = TRY(find_l1(memory, linear));
    const Translated wanted = TRY(translate(pages, Entry{args[1]}, MmuUpdateType::normal_pt_update));
    REQUIRE(use_of(*table).type == FrameType::l1, einval);
    TRY(change_entry(memory, *table, {slot_of(linear, Level::l1), wanted.entry, pages.pages()}));
    flush.settle();
    return Reply{};
}

}  // namespace

Result<NamedOwner> find_page_owner(Vcpu& caller, u16 id) {
    DomainRef self(caller.domain);
    switch (id) {
    case abi::domid::self: return NamedOwner{std::move(self), PageOwner::Kind::domain};
    case abi::domid::io: return NamedOwner{std::move(self), PageOwner::Kind::device_memory};
    case abi::domid::xen: REQUIRE(caller.domain.settings.control, eperm); return NamedOwner{std::move(self), PageOwner::Kind::hypervisor};
    default: break;
    }
    REQUIRE(DomId{id} != caller.domain.id, esrch);
    DomainRef found = TRY(find_domain(DomId{id}));
    REQUIRE(may_control(caller.domain, *found), eperm);
    return NamedOwner{std::move(found), PageOwner::Kind::domain};
}

/// args: (list, count, done, owners)
Result<Reply> mmu_update(Vcpu& caller, HypercallArgs& args) {
    VcpuMemory& memory = *TRY(memory_of(caller));
    if (const auto first = before_batch(memory, args)) return *first;
    const Owners owners = TRY(find_owners(caller, static_cast<u32>(args[3])));
    OpenTable open;
    return run_batch<abi::MmuUpdate>(memory, args, [&](const abi::MmuUpdate& op) { return update(memory, owners, op, open); });
}

/// args: (linear address, entry, flags)
Result<Reply> update_va_mapping(Vcpu& caller, HypercallArgs& args) {
    return update_va(caller, args, {DomainRef(caller.domain), PageOwner::Kind::domain});
}

/// args: (linear address, entry, flags, owner of the page)
Result<Reply> update_va_mapping_otherdomain(Vcpu& caller, HypercallArgs& args) {
    return update_va(caller, args, TRY(find_page_owner(caller, static_cast<u16>(args[3]))));
}

}  // namespace px::pv
