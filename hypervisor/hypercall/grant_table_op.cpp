// HYPERVISOR_grant_table_op. [xen/public grant_table.h]
//
// An element of a batch answers in its own status field; the hypercall fails only where an element can't be read or
// written. A batch that is interrupted goes on with the arguments that are left.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/grant_copy.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
namespace {

using abi::GntStatus;
using abi::GnttabOp;

constexpr i16 to_status(const GrantResult<>& result) { return static_cast<i16>(result.ok() ? GntStatus::okay : result.error()); }
constexpr i16 failed(GntStatus status) { return static_cast<i16>(status); }

// ---- One element each. What is written to `op` goes back to the guest.

void map_grant_ref(Domain& caller, abi::GnttabMapGrantRef& op, GrantBatch& batch) {
    const auto granter = DomId{op.dom} == domid_self ? Result<DomainRef>(DomainRef(caller)) : find_domain(DomId{op.dom});
    if (!granter) {
        op.status = failed(GntStatus::bad_domain);
        return;
    }
    const auto mapping = caller.grants.map(**granter, GrantRef{op.ref}, op.host_addr, op.flags, batch);
    op.status = mapping ? failed(GntStatus::okay) : failed(mapping.error());
    if (!mapping) return;
    op.handle = mapping->handle;
    op.dev_bus_addr = to_paddr(mapping->mfn).raw;
}

void unmap_grant_ref(Domain& caller, abi::GnttabUnmapGrantRef& op, GrantBatch& batch) {
    op.status = to_status(caller.grants.unmap(op.handle, op.host_addr, op.dev_bus_addr, batch));
}

/// Only for guests with page tables of their own: see is_for_hvm().
void unmap_and_replace(Domain& caller, abi::GnttabUnmapAndReplace& op, GrantBatch& batch) {
    op.status = to_status(caller.grants.unmap(op.handle, op.host_addr, 0, batch, op.new_addr));
}

/// Nobody in use gives pages away so.
void transfer(Domain&, abi::GnttabTransfer& op) { op.status = failed(GntStatus::bad_page); }

void swap_grant_ref(Domain& caller, abi::GnttabSwapGrantRef& op) {
    op.status = to_status(caller.grants.swap(GrantRef{op.ref_a}, GrantRef{op.ref_b}));
}

// ---- Batches: args are (operation, pointer, count).

template <class Op, class Perform>
Result<Reply> batch(HypercallArgs& args, Perform perform) {
    GuestPtr<Op> pointer(args[1]);
    const u32 count = static_cast<u32>(args[2]);
    for (u32 i = 0; i < count; ++i) {
        if (i != 0 && preemption_pending()) {
            args[1] = pointer.address();
            args[2] = count - i;
            return run_again;
        }
        Op op = TRY(pointer.read());
        perform(op);
        TRY(pointer.write(op));
        pointer = pointer.at(1);
    }
    return Reply{};
}

template <class Op, void (*perform)(Domain&, Op&)>
Result<Reply> batch_of(Vcpu& caller, HypercallArgs& args) {
    return batch<Op>(args, [&](Op& op) { perform(caller.domain, op); });
}

template <class Op, void (*perform)(Domain&, Op&, GrantBatch&)>
Result<Reply> mapping_batch_of(Vcpu& caller, HypercallArgs& args) {
    GrantBatch pending(caller.domain);
    return batch<Op>(args, [&](Op& op) {
        pending.make_room();
        perform(caller.domain, op, pending);
    });
}

Result<Reply> copy(Vcpu& caller, HypercallArgs& args) {
    GrantCopier copier(caller.domain);
    return batch<abi::GnttabCopy>(args, [&](abi::GnttabCopy& op) { op.status = to_status(copier.copy(op)); });
}

// ---- Single ones.

/// The domain that an operation on a table names, with its right to it in terms of GntStatus.
GrantResult<DomainRef> find_table_of(Vcpu& caller, u16 id) {
    const auto domain = find_controlled_domain(caller, DomId{id});
    if (!domain) return Err{domain.error() == Errno::eperm ? GntStatus::permission_denied : GntStatus::bad_domain};
    return *domain;
}

/// Reads one Op; perform(op) returns its status or an error; writes the Op back.
template <class Op, class Perform>
Result<Reply> single(HypercallArgs& args, Perform perform) {
    REQUIRE(args[2] == 1, einval);
    const GuestPtr<Op> pointer(args[1]);
    Op op = TRY(pointer.read());
    const GrantResult<> result = perform(op);
    op.status = to_status(result);
    TRY(pointer.write(op));
    return Reply{};
}

/// Writes where the domain sees frames 0 … count-1 of its table or status words; ~0 where it doesn't.
GrantResult<> write_frame_list(GrantTable& grants, abi::GuestHandle<u64> list, u32 count, bool status) {
    const GuestPtr<u64> out(list);
    for (u32 i = 0; i < count; ++i) {
        if (!out.at(i).write(grants.frame_gfn(i, status).raw)) return Err{GntStatus::bad_virt_addr};
    }
    return {};
}

Result<Reply> setup_table(Vcpu& caller, HypercallArgs& args) {
    return single<abi::GnttabSetupTable>(args, [&](abi::GnttabSetupTable& op) -> GrantResult<> {
        const DomainRef domain = TRY(find_table_of(caller, op.dom));
        if (op.nr_frames > domain->grants.max_frames()) return Err{GntStatus::general_error};
        if (!domain->grants.grow(op.nr_frames)) return Err{GntStatus::general_error};
        return write_frame_list(domain->grants, op.frame_list, op.nr_frames, false);
    });
}

Result<Reply> get_status_frames(Vcpu& caller, HypercallArgs& args) {
    return single<abi::GnttabGetStatusFrames>(args, [&](abi::GnttabGetStatusFrames& op) -> GrantResult<> {
        const DomainRef domain = TRY(find_table_of(caller, op.dom));
        if (op.nr_frames > domain->grants.status_frame_count()) return Err{GntStatus::general_error};
        return write_frame_list(domain->grants, op.frame_list, op.nr_frames, true);
    });
}

Result<Reply> query_size(Vcpu& caller, HypercallArgs& args) {
    return single<abi::GnttabQuerySize>(args, [&](abi::GnttabQuerySize& op) -> GrantResult<> {
        const DomainRef domain = TRY(find_table_of(caller, op.dom));
        op.nr_frames = domain->grants.frame_count();
        op.max_nr_frames = domain->grants.max_frames();
        return {};
    });
}

Result<Reply> dump_table(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(caller.domain.settings.control, eperm);
    return single<abi::GnttabDumpTable>(args, [&](abi::GnttabDumpTable& op) -> GrantResult<> {
        const DomainRef domain = TRY(find_table_of(caller, op.dom));
        domain->grants.dump();
        return {};
    });
}

Result<Reply> set_version(Vcpu& caller, HypercallArgs& args) {
    const GuestPtr<abi::GnttabSetVersion> pointer(args[1]);
    const abi::GnttabSetVersion op = TRY(pointer.read());
    const auto result = caller.domain.grants.set_version(op.version);
    // The guest learns which one it has, also where it got an error.
    TRY(pointer.write({caller.domain.grants.version()}));
    TRY(result);
    return Reply{};
}

Result<Reply> get_version(Vcpu& caller, HypercallArgs& args) {
    const GuestPtr<abi::GnttabGetVersion> pointer(args[1]);
    const abi::GnttabGetVersion op = TRY(pointer.read());
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.dom}));
    TRY(pointer.write_field(&abi::GnttabGetVersion::version, domain->grants.version()));
    return Reply{};
}

constexpr auto table = [] {
    std::array<HypercallHandler, 13> entries{};
    const auto set = [&](GnttabOp op, HypercallHandler handler) { entries[static_cast<usize>(op)] = handler; };
    set(GnttabOp::map_grant_ref, mapping_batch_of<abi::GnttabMapGrantRef, map_grant_ref>);
    set(GnttabOp::unmap_grant_ref, mapping_batch_of<abi::GnttabUnmapGrantRef, unmap_grant_ref>);
    set(GnttabOp::setup_table, setup_table);
    set(GnttabOp::dump_table, dump_table);
    set(GnttabOp::transfer, batch_of<abi::GnttabTransfer, transfer>);
    set(GnttabOp::copy, copy);
    set(GnttabOp::query_size, query_size);
    set(GnttabOp::unmap_and_replace, mapping_batch_of<abi::GnttabUnmapAndReplace, unmap_and_replace>);
    set(GnttabOp::set_version, set_version);
    set(GnttabOp::get_status_frames, get_status_frames);
    set(GnttabOp::get_version, get_version);
    set(GnttabOp::swap_grant_ref, batch_of<abi::GnttabSwapGrantRef, swap_grant_ref>);
    // cache_flush: x86 keeps its caches coherent by itself, and no guest of it asks.
    return entries;
}();

/// What a guest with a physmap may ask; the rest is about page-table entries and machine addresses, which it has none of. It
/// reaches its tables' frames by XENMEM_add_to_physmap.
constexpr bool is_for_hvm(GnttabOp op) {
    switch (op) {
    case GnttabOp::map_grant_ref:
    case GnttabOp::unmap_grant_ref:
    case GnttabOp::setup_table:
    case GnttabOp::copy:
    case GnttabOp::query_size:
    case GnttabOp::set_version:
    case GnttabOp::get_version:
    case GnttabOp::swap_grant_ref: return true;
    default: return false;
    }
}

}  // namespace

/// (operation, array, count)
Result<Reply> hypercall_grant_table_op(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(static_cast<i32>(args[2]) >= 0, einval);
    REQUIRE(args[0] < table.size() && table[args[0]] != nullptr, enosys);
    REQUIRE(!caller.domain.settings.hvm || is_for_hvm(static_cast<GnttabOp>(args[0])), enosys);
    return table[args[0]](caller, args);
}

}  // namespace px
