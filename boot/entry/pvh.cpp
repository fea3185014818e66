// The PVH start info, as QEMU or another hypervisor hands it to us. [xen/public arch-x86/hvm/start_info.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/entry/boot_info.hpp"
#include "hypervisor/abi/start_info.hpp"

namespace px::boot {
Result<> parse_pvh(const BootMemory& memory, u64 address, BootInfo& out) {
    const auto info = TRY(memory.read<abi::HvmStartInfo>(address));
    REQUIRE(info.magic == abi::hvm_start_magic, einval);
    REQUIRE(info.version >= 1 && info.memmap_entries > 0, einval);
    out.loader = "PVH";
    out.command_line = memory.text(info.cmdline_paddr);
    out.rsdp = info.rsdp_paddr;
    for (u32 i = 0; i < info.memmap_entries; ++i) {
        const auto entry = TRY(memory.read<abi::HvmMemmapTableEntry>(info.memmap_paddr + i * sizeof(abi::HvmMemmapTableEntry)));
        TRY(out.add_memory(entry.addr, entry.size, static_cast<u32>(entry.type)));
    }
    for (u32 i = 0; i < info.nr_modules && !out.modules.full(); ++i) {
        const auto module = TRY(memory.read<abi::HvmModlistEntry>(info.modlist_paddr + i * sizeof(abi::HvmModlistEntry)));
        REQUIRE(module.paddr + module.size >= module.paddr, einval);
        TRY(out.modules.push_back({module.paddr, module.size, memory.text(module.cmdline_paddr)}));
    }
    return {};
}

}  // namespace px::boot
