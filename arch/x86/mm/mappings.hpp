// The hypervisor's own address space: built at boot, extended by device memory and CPU stacks.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "arch/per_cpu.hpp"
#include "arch/x86/mm/native_paging.hpp"
#include "boot/entry/boot_info.hpp"

namespace px::arch {

/// Machine address of the image less the one that it is linked for: other than 0 where EFI put it elsewhere, before boot_start().
extern u64 image_displacement;
/// Of something in the image.
inline u64 machine_address(const void* of_image) { return reinterpret_cast<u64>(of_image) - image_base + image_displacement; }

/// The new address space's table; every CPU loads it.
Mfn address_space_root();

/// Maps device memory (or firmware tables outside of RAM) for good. Errors: enomem.
/// The address of `address` itself is returned, whatever its alignment.
Result<void*> map_physical(Paddr address, usize bytes, Cache cache, bool writable);

/// Memory and guard pages for CPU `cpu`'s stack block; gives its lowest address. Errors: enomem.
Result<u64> map_stack_block(CpuId cpu);

/// A page of null descriptors. First called while one CPU runs.
Mfn no_descriptors();
/// The address space's pages for CPU `cpu`'s descriptor tables: empty but for the reserved page. Errors: enomem.
Result<DescriptorArea> map_descriptor_area(CpuId cpu);

/// RAM that firmware or loader gave us, by use. Filled by set_up_memory().
struct MemoryLayout {
    StaticVector<boot::MemoryRegion, boot::max_regions> machine;  ///< the machine's map, normalised
    StaticVector<boot::MemoryRegion, 64> ours;                    ///< what the hypervisor keeps, sorted
    u64 trampoline = 0;                                           ///< page below 1 MiB for starting CPUs
    u64 ram_frames = 0;                                           ///< all usable RAM
    u64 dom0_limit = 0;  ///< usable RAM below this address (less `ours`) is the 1:1 hardware domain's
    u64 dom0_frames = 0;
};
MemoryLayout& memory_layout();

/// How much of the machine the hardware domain gets; frames. From dom0_mem=.
using Dom0Choice = u64 (*)(u64 ram_frames);

/// Builds frame table, direct map and address space, gives free RAM to the allocator and moves the modules out of the
/// hardware domain's range. Once, on the boot CPU with interrupts off. Panics where the machine can't be used.
void set_up_memory(boot::BootInfo& info, Dom0Choice choose);

/// After the last user of the identity map (starting CPUs): removes it.
void drop_identity_map();

}  // namespace px::arch
