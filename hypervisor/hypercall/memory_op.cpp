// HYPERVISOR_memory_op: dispatch, and what only asks. [xen/public memory.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypercall/memory_op.hpp"

#include "arch/hypercalls.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px {
namespace memory {
namespace {

using abi::MemoryOp;

Result<Reply> maximum_ram_page(Vcpu&, Call&) { return Reply{static_cast<i64>(arch::frame_count())}; }

/// A number about a domain: `query` is its function.
template <u64 (*query)(Domain&)>
Result<Reply> about_domain(Vcpu& caller, Call& call) {
    const auto op = TRY(guest_ptr<abi::MemoryDomain>(call.argument).read());
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    return Reply{static_cast<i64>(query(*domain))};
}
u64 current_frames(Domain& domain) { return domain.memory.frames(); }
u64 maximum_frames(Domain& domain) { return domain.memory.max_frames(); }
u64 maximum_gfn(Domain& domain) { return domain.physmap.highest_gfn().raw; }

/// Memory on demand doesn't exist: a domain has what it has, and toolstacks that ask for it are told so.
template <bool set>
Result<Reply> pod_target(Vcpu& caller, Call& call) {
    const auto pointer = guest_ptr<abi::PodTarget>(call.argument);
    auto op = TRY(pointer.read());
    const DomainRef domain = TRY(find_domain(caller, DomId{op.domid}));
    REQUIRE(caller.domain.settings.control, eperm);
    if constexpr (set) REQUIRE(op.target_pages <= domain->memory.max_frames(), einval);
    op.tot_pages = domain->memory.frames();
    op.pod_cache_pages = op.pod_entries = 0;
    TRY(pointer.write(op));
    return Reply{};
}

Result<Reply> none_shared(Vcpu&, Call&) { return Reply{}; }

/// No IOMMU is driven, so no device has memory reserved for it.
Result<Reply> reserved_device_memory(Vcpu&, Call& call) {
    const auto pointer = guest_ptr<abi::ReservedDeviceMemoryMap>(call.argument);
    const auto op = TRY(pointer.read());
    REQUIRE((op.flags & ~abi::rdm_all) == 0, einval);
    TRY(pointer.write_field(&abi::ReservedDeviceMemoryMap::nr_entries, u32{0}));
    return Reply{};
}

Result<Reply> not_supported(Vcpu&, Call&) { return Err{Errno::eopnotsupp}; }
/// The same of what has an argument, which is looked at first.
template <class Op>
Result<Reply> not_supported_with(Vcpu&, Call& call) {
    REQUIRE(call.start == 0, enosys);
    (void)TRY(guest_ptr<Op>(call.argument).read());
    return Err{Errno::eopnotsupp};
}

/// Memory access events don't exist; a domain learns that it may not ask for them first.
Result<Reply> memory_access(Vcpu& caller, Call& call) {
    (void)TRY(guest_ptr<abi::MemAccessOp>(call.argument).read());
    REQUIRE(caller.domain.settings.control, eperm);
    return Err{Errno::eopnotsupp};
}

/// For operations that are never interrupted, and so never begin anywhere but at the start.
template <Handler handler>
Result<Reply> whole(Vcpu& caller, Call& call) {
    REQUIRE(call.start == 0, einval);
    return handler(caller, call);
}

/// The architecture's own.
template <MemoryOp op>
Result<Reply> by_architecture(Vcpu& caller, Call& call) {
    REQUIRE(call.start == 0, enosys);
    return arch::memory_op(caller, op, call.argument);
}

constexpr auto table = [] {
    std::array<Handler, 29> entries{};
    const auto set = [&](MemoryOp op, Handler handler) { entries[static_cast<usize>(op)] = handler; };
    set(MemoryOp::increase_reservation, increase_reservation);
    set(MemoryOp::decrease_reservation, decrease_reservation);
    set(MemoryOp::populate_physmap, populate_physmap);
    set(MemoryOp::exchange, exchange);
    set(MemoryOp::claim_pages, whole<claim_pages>);
    set(MemoryOp::maximum_ram_page, whole<maximum_ram_page>);
    set(MemoryOp::current_reservation, whole<about_domain<current_frames>>);
    set(MemoryOp::maximum_reservation, whole<about_domain<maximum_frames>>);
    set(MemoryOp::maximum_gpfn, whole<about_domain<maximum_gfn>>);
    set(MemoryOp::add_to_physmap, add_to_physmap);
    set(MemoryOp::add_to_physmap_batch, add_to_physmap_batch);
    set(MemoryOp::remove_from_physmap, whole<remove_from_physmap>);
    set(MemoryOp::acquire_resource, acquire_resource);
    set(MemoryOp::memory_map, by_architecture<MemoryOp::memory_map>);
    set(MemoryOp::machine_memory_map, by_architecture<MemoryOp::machine_memory_map>);
    set(MemoryOp::set_memory_map, by_architecture<MemoryOp::set_memory_map>);
    set(MemoryOp::set_pod_target, pod_target<true>);
    set(MemoryOp::get_pod_target, pod_target<false>);
    set(MemoryOp::get_sharing_freed_pages, none_shared);
    set(MemoryOp::get_sharing_shared_pages, none_shared);
    set(MemoryOp::reserved_device_memory_map, reserved_device_memory);
    set(MemoryOp::get_vnumainfo, whole<not_supported_with<abi::VnumaTopologyInfo>>);
    set(MemoryOp::access_op, memory_access);
    set(MemoryOp::machphys_mfn_list, not_supported_with<abi::MachphysMfnList>);
    set(MemoryOp::machphys_compat_mfn_list, not_supported);  // of 32-bit PV guests
    return entries;
}();

}  // namespace
}  // namespace memory

/// args: (operation | start << 6, argument)
Result<Reply> hypercall_memory_op(Vcpu& caller, HypercallArgs& args) {
    constexpr u64 operation_mask = (u64{1} << memory::extent_shift) - 1;
    const u64 operation = args[0] & operation_mask;
    REQUIRE(operation < memory::table.size() && memory::table[operation] != nullptr, enosys);
    memory::Call call{.argument = args[1], .start = args[0] >> memory::extent_shift};
    const Reply reply = TRY(memory::table[operation](caller, call));
    if (reply.again()) args[0] = operation | call.next << memory::extent_shift;
    return reply;
}

}  // namespace px
