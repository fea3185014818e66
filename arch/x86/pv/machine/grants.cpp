// Grants in the page tables of PV guests. Contract: arch/grant_places.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/grant_places.hpp"

#include "arch/x86/pv/grant_mapping.hpp"
#include "arch/x86/pv/machine/vcpu.hpp"
#include "hypervisor/abi/grant_table.hpp"

namespace px::arch {
namespace {

pv::GrantPlace place_of(u64 address, u32 flags) { return {address, (flags & abi::gntmap::contains_pte) != 0}; }

}  // namespace

Result<> place_grant(Vcpu& mapper, u64 address, Mfn mfn, u32 flags) {
    return pv::place_grant(pv::state_of(mapper).memory, place_of(address, flags), pv::grant_entry(mfn, flags));
}

Result<> remove_grant(Vcpu& mapper, u64 address, Mfn mfn, u32 flags, u64 replacement) {
    // flush_grants() flushes for all grants of a batch at once, so what this one owes isn't settled here.
    (void)TRY(pv::remove_grant(pv::state_of(mapper).memory, place_of(address, flags), pv::grant_entry(mfn, flags), replacement));
    return {};
}

void flush_grants(Domain& domain) { pv::TlbFlush::all(pv::machine::cpus_of(domain)).settle(); }

}  // namespace px::arch
