// Contract: grants mapped by a domain without a physmap (PV), into its page tables. [xen/public grant_table.h]
//
// place_grant(mapper, address, mfn, flags)     the pinned frame appears at `address`, a linear address or, with gntmap::contains_pte, the
//                                              machine address of a page-table entry; what stood there is given back. No lock above
//                                              LockRank::grant_maps. Errors: einval, ebusy
// remove_grant(mapper, address, mfn, flags, replacement)
//                                              takes it away again; `replacement` ≠ 0: what this linear address maps is put there
//                                              instead. Nobody may have the frame before flush_grants(). Errors: einval
// flush_grants(domain)                         no CPU uses translations any more that remove_grant() has ended; waits
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Domain;
class Vcpu;
}  // namespace px

namespace px::arch {

Result<> place_grant(Vcpu& mapper, u64 address, Mfn mfn, u32 flags);
Result<> remove_grant(Vcpu& mapper, u64 address, Mfn mfn, u32 flags, u64 replacement);
void flush_grants(Domain& domain);

}  // namespace px::arch
