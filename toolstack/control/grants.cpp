// The grants that a new domain has from the start.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/grants.hpp"

#include "hypervisor/abi/grant_table.hpp"
#include "toolstack/control/request.hpp"

namespace px::control {

using call::Mapping;
using call::Outcome;

namespace {

constexpr DomId dom0{0};

/// A new domain's table is of version 1.
void write_entries(const Mapping& table, Gfn console, Gfn store) {
    auto* entries = table.as<abi::GrantEntryV1>();
    entries[abi::gnttab_reserved_console] = {abi::gtf::permit_access, dom0.raw, static_cast<u32>(console.raw)};
    entries[abi::gnttab_reserved_xenstore] = {abi::gtf::permit_access, dom0.raw, static_cast<u32>(store.raw)};
}

/// For a kernel or hypervisor without acquire_resource: the table's frame appears in the guest for a moment.
Outcome<> seed_through_guest(Domain domain, Gfn console, Gfn store, Gfn scratch) {
    call::Privcmd& privcmd = domain.privcmd();
    abi::AddToPhysmap add{domain.id().raw, 0, static_cast<u32>(abi::MapSpace::grant_table), 0, scratch.raw};
    TRY(request(privcmd, abi::hypercall::memory_op, abi::MemoryOp::add_to_physmap, add, "can't reach the domain's grant table"));
    auto table = privcmd.map_foreign(domain.id(), std::span(&scratch, 1));
    if (table.ok()) write_entries(*table, console, store);
    abi::RemoveFromPhysmap remove{domain.id().raw, scratch.raw};
    TRY(request(privcmd, abi::hypercall::memory_op, abi::MemoryOp::remove_from_physmap, remove, "can't unmap the domain's grant table"));
    if (!table.ok()) return Err{table.error()};
    return {};
}

}  // namespace

Outcome<> seed_grants(Domain domain, Gfn console, Gfn store, Gfn scratch) {
    auto table = domain.privcmd().map_resource(domain.id(), static_cast<u32>(abi::ResourceType::grant_table),
                                               abi::resource_grant_table_id_shared, 0, 1);
    if (!table.ok()) return seed_through_guest(domain, console, store, scratch);
    write_entries(*table, console, store);
    return {};
}

}  // namespace px::control
