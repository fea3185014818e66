// A translation buffer that forgets nothing by itself, so that a forgotten flush shows. [design.md section 3]
//
// Emulators flush at every world switch and hide the mistake. Here a CPU keeps each translation that it ever used, tagged
// with its domain, until flush_physmap() or flush_cpu() takes it away; using one that the physmap no longer agrees with
// ends the test with a panic.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"
#include "hypervisor/mm/physmap.hpp"

namespace px::arch {

/// What a guest's access to `gfn` on this CPU hits: from the buffer if it is there, else by a walk that fills it.
/// Panics on a stale entry. Holes aren't cached, as the hardware may not [amd/apm2 5.5.2].
GfnEntry host_translate(Domain& domain, Gfn gfn);
/// What the entries of a domain are worth from now on: nothing.
void host_tlb_flush(u64 tag);
/// Entries of the domain on all CPUs.
usize host_tlb_entries(const Domain& domain);

}  // namespace px::arch
