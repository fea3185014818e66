// GDT and LDT of a PV vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "arch/x86/pv/guest.hpp"

namespace px::pv {

/// Frames and number of entries of the guest's part of the GDT. One frame for each 512 entries begun.
/// Errors: einval (more entries than first_reserved_gdt_entry; a frame that isn't the domain's, is in another use, or has a descriptor
/// that isn't safe), and then nothing has changed.
Result<> set_gdt(VcpuMemory& caller, std::span<const u64> frames, u32 entries);
/// Gives the GDT's frames back.
void drop_gdt(VcpuMemory& memory);

/// Errors: einval (base not at a page's begin, too many entries, not the guest's addresses).
Result<> set_ldt(VcpuMemory& caller, u64 base, u32 entries);
/// At the first use of a page of the LDT: gives the frame that is to be mapped there, by the linear address that set_ldt() said.
/// Errors: einval (beyond the table; nothing mapped there; as acquire()).
Result<Mfn> map_ldt_page(VcpuMemory& caller, unsigned page);
/// Gives back the pages of the LDT that are mapped. Any CPU.
void forget_ldt(VcpuMemory& memory);

/// Writes one descriptor, made safe, into a page of descriptors or of writable memory. Errors: einval.
Result<> update_descriptor(Domain& domain, Paddr at, u64 descriptor);

}  // namespace px::pv
