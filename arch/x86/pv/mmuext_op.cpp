// HYPERVISOR_mmuext_op, HYPERVISOR_set_gdt, HYPERVISOR_update_descriptor. [xen/public xen.h, arch-x86/xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "arch/x86/pv/batch.hpp"
#include "arch/x86/pv/descriptor.hpp"
#include "arch/x86/pv/descriptor_tables.hpp"
#include "arch/x86/pv/hypercalls.hpp"
#include "arch/x86/pv/tlb_flush.hpp"

namespace px::pv {
namespace {

using abi::MmuextOp;
using abi::MmuextOpCmd;

struct Call {
    Vcpu& caller;
    VcpuMemory& memory;
    const NamedOwner& owner;  ///< FD
    bool foreign() const { return owner.kind != PageOwner::Kind::domain || &*owner.domain != &caller.domain; }
};
using Handler = Result<Progress> (*)(const Call& call, const MmuextOp& op);

// ---- Page tables.

/// What isn't counted has no pins: nothing happens, and it is no error [known behaviour of 4.17].
bool has_pins(const Call& call) { return call.owner.kind != PageOwner::Kind::domain || !call.owner.domain->settings.hvm; }
/// Roots and descriptor tables are those of a PV caller itself. Errors: eperm, einval.
Result<> check_own(const Call& call) {
    REQUIRE(!call.foreign(), eperm);
    REQUIRE(!call.caller.domain.settings.hvm, einval);
    return {};
}

template <FrameType type>
Result<Progress> pin_table(const Call& call, const MmuextOp& op) {
    if (!has_pins(call)) return Progress::done;
    REQUIRE(call.owner.kind == PageOwner::Kind::domain, einval);
    return pin(call.memory, *call.owner.domain, Mfn{op.arg1.mfn}, type);
}

Result<Progress> unpin_table(const Call& call, const MmuextOp& op) {
    if (!has_pins(call)) return Progress::done;
    REQUIRE(call.owner.kind == PageOwner::Kind::domain, einval);
    TRY(unpin(call.memory, *call.owner.domain, Mfn{op.arg1.mfn}));
    return Progress::done;
}

template <Root which>
Result<Progress> new_root(const Call& call, const MmuextOp& op) {
    TRY(check_own(call));
    return set_root(call.memory, Mfn{op.arg1.mfn}, which);
}

// ---- Translations and caches.

Result<Progress> flush_tlb_local(const Call& call, const MmuextOp&) {
    REQUIRE(!call.foreign(), eperm);
    TlbFlush::all(local_cpu()).settle();
    return Progress::done;
}
Result<Progress> flush_page_local(const Call& call, const MmuextOp& op) {
    REQUIRE(!call.foreign(), eperm);
    TlbFlush::page(local_cpu(), op.arg1.linear_addr).settle();
    return Progress::done;
}
/// A bitmap that can't be read is einval here.
Result<CpuMask> named_cpus(const Call& call, const MmuextOp& op) {
    REQUIRE(!call.foreign(), eperm);
    const auto cpus = cpus_of_bitmap(call.caller, op.arg2.vcpumask.address);
    REQUIRE(cpus.ok(), einval);
    return *cpus;
}
Result<Progress> flush_tlb_multi(const Call& call, const MmuextOp& op) {
    TlbFlush::all(TRY(named_cpus(call, op))).settle();
    return Progress::done;
}
Result<Progress> flush_page_multi(const Call& call, const MmuextOp& op) {
    TlbFlush::page(TRY(named_cpus(call, op)), op.arg1.linear_addr).settle();
    return Progress::done;
}
Result<Progress> flush_tlb_all(const Call& call, const MmuextOp&) {
    REQUIRE(!call.foreign(), eperm);
    TlbFlush::all(machine::cpus_of(call.caller.domain)).settle();
    return Progress::done;
}
Result<Progress> flush_page_all(const Call& call, const MmuextOp& op) {
    REQUIRE(!call.foreign(), eperm);
    TlbFlush::page(machine::cpus_of(call.caller.domain), op.arg1.linear_addr).settle();
    return Progress::done;
}
template <bool everywhere>
Result<Progress> flush_caches(const Call& call, const MmuextOp&) {
    REQUIRE(!call.foreign(), eperm);
    REQUIRE(machine::has_devices(call.caller.domain), eacces);
    machine::flush_caches(everywhere);
    return Progress::done;
}

// ---- Pages.

/// A page of the owner's, who names it by its machine frame number. Errors: einval.
Result<FrameRef> find_page(const Call& call, Mfn mfn) {
    REQUIRE(call.owner.kind == PageOwner::Kind::domain && !call.owner.domain->settings.hvm, einval);
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &*call.owner.domain), einval);
    return FrameRef(frame_of(mfn));
}

/// Calls use(page) with a page of the owner's, for writing. Errors: einval.
template <class Use>
Result<Progress> with_writable(const Call& call, Mfn mfn, Use use) {
    const FrameRef frame = TRY(find_page(call, mfn));
    TRY(acquire(*frame, FrameType::writable));
    use(frame.data());
    release_at_once(*frame);
    return Progress::done;
}

Result<Progress> clear_page(const Call& call, const MmuextOp& op) {
    return with_writable(call, Mfn{op.arg1.mfn}, [](void* page) { std::memset(page, 0, page_size); });
}

Result<Progress> copy_page(const Call& call, const MmuextOp& op) {
    const FrameRef from = TRY(find_page(call, Mfn{op.arg2.src_mfn}));
    return with_writable(call, Mfn{op.arg1.mfn}, [&](void* page) { std::memmove(page, from.data(), page_size); });
}

Result<Progress> change_ldt(const Call& call, const MmuextOp& op) {
    TRY(check_own(call));
    TRY(set_ldt(call.memory, op.arg1.linear_addr, op.arg2.nr_ents));
    return Progress::done;
}

Result<Progress> no_superpages(const Call&, const MmuextOp&) { return Err{Errno::eopnotsupp}; }

constexpr auto table = [] {
    std::array<Handler, 21> entries{};
    const auto set = [&](MmuextOpCmd command, Handler handler) { entries[static_cast<usize>(command)] = handler; };
    set(MmuextOpCmd::pin_l1_table, pin_table<FrameType::l1>);
    set(MmuextOpCmd::pin_l2_table, pin_table<FrameType::l2>);
    set(MmuextOpCmd::pin_l3_table, pin_table<FrameType::l3>);
    set(MmuextOpCmd::pin_l4_table, pin_table<FrameType::l4>);
    set(MmuextOpCmd::unpin_table, unpin_table);
    set(MmuextOpCmd::new_baseptr, new_root<Root::kernel>);
    set(MmuextOpCmd::new_user_baseptr, new_root<Root::user>);
    set(MmuextOpCmd::tlb_flush_local, flush_tlb_local);
    set(MmuextOpCmd::invlpg_local, flush_page_local);
    set(MmuextOpCmd::tlb_flush_multi, flush_tlb_multi);
    set(MmuextOpCmd::invlpg_multi, flush_page_multi);
    set(MmuextOpCmd::tlb_flush_all, flush_tlb_all);
    set(MmuextOpCmd::invlpg_all, flush_page_all);
    set(MmuextOpCmd::flush_cache, flush_caches<false>);
    set(MmuextOpCmd::flush_cache_global, flush_caches<true>);
    set(MmuextOpCmd::set_ldt, change_ldt);
    set(MmuextOpCmd::clear_page, clear_page);
    set(MmuextOpCmd::copy_page, copy_page);
    set(MmuextOpCmd::mark_super, no_superpages);
    set(MmuextOpCmd::unmark_super, no_superpages);
    return entries;
}();

/// What a domain that isn't a PV one itself may do to those that it builds: the rest is about its own page tables.
constexpr bool is_for_builders(MmuextOpCmd command) {
    return command <= MmuextOpCmd::unpin_table || command == MmuextOpCmd::clear_page || command == MmuextOpCmd::copy_page;
}

}  // namespace

/// args: (list, count, done, owner)
Result<Reply> mmuext_op(Vcpu& caller, HypercallArgs& args) {
    VcpuMemory& memory = *TRY(memory_of(caller));
    if (const auto first = before_batch(memory, args)) return *first;
    const NamedOwner owner = TRY(find_page_owner(caller, static_cast<u16>(args[3])));
    const Call call{caller, memory, owner};
    return run_batch<MmuextOp>(memory, args, [&](const MmuextOp& op) -> Result<Progress> {
        REQUIRE(op.cmd < table.size() && table[op.cmd] != nullptr, enosys);
        REQUIRE(!caller.domain.settings.hvm || is_for_builders(static_cast<MmuextOpCmd>(op.cmd)), einval);
        return table[op.cmd](call, op);
    });
}

/// args: (list of frames, number of descriptors)
Result<Reply> hypercall_set_gdt(Vcpu& caller, HypercallArgs& args) {
    const u32 entries = static_cast<u32>(args[1]);
    REQUIRE(entries <= abi::x86::first_reserved_gdt_entry, einval);
    std::array<u64, gdt_pages> frames{};
    const u32 count = (entries + descriptors_per_page - 1) / descriptors_per_page;
    TRY(GuestPtr<u64>(args[0]).read_many(frames.data(), count));
    TRY(set_gdt(*TRY(memory_of(caller)), frames, entries));
    return Reply{};
}

/// args: (machine address, descriptor)
Result<Reply> hypercall_update_descriptor(Vcpu& caller, HypercallArgs& args) {
    TRY(update_descriptor(caller.domain, Paddr{args[0]}, args[1]));
    return Reply{};
}

}  // namespace px::pv
