// What the EFI entry leaves behind for the hypervisor: all that the firmware told before it was sent away.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <span>

#include "boot/efi/api.hpp"
#include "boot/entry/boot_info.hpp"

namespace px::boot {

/// Lies in the image's own memory and holds no pointers: it is written at one address and read at another.
struct EfiHandover {
    static constexpr usize map_capacity = 65536, text_capacity = 16384, rights_capacity = 16384;

    struct Text {
        u32 offset, length;  ///< in `texts`
    };
    struct Module {
        u64 start, size;
        Text arguments;
    };

    u64 system_table;          ///< machine address, 0: this machine wasn't booted by EFI
    u64 runtime_table;         ///< machine address of the runtime services
    u64 tables, tables_count;  ///< the configuration tables: machine address of the first
    u32 firmware_revision, vendor_revision, runtime_revision;
    Text vendor;
    u64 rsdp;            ///< 0: unknown
    Framebuffer screen;  ///< address 0: there is none
    u64 map_size;        ///< bytes of `map` that are used
    u64 descriptor_size;
    u64 keeps_boot_services;  ///< memory of the firmware's boot services stays reserved
    Text command_line;
    u64 microcode_start, microcode_size;  ///< a file of the loader's; size 0: none
    u64 modules_count;
    Module modules[max_modules];
    u32 texts_used;
    char texts[text_capacity];
    alignas(8) u8 map[map_capacity];
    u64 rights_size, rights_descriptor_size;  ///< of `rights`: descriptors whose attributes say what runtime memory may not be used for
    alignas(8) u8 rights[rights_capacity];

    /// Keeps a copy of `text`. Errors: enospc.
    Result<Text> keep(std::string_view text);
    /// Errors: enospc.
    Result<> add_module(std::span<const u8> content, std::string_view arguments);
};

/// Visits the descriptors of a list (`map` or `rights`), `size` bytes in steps of `step`, until `visit` answers false.
template <class Visitor>
void for_each_descriptor(const u8* list, u64 size, u64 step, Visitor visit) {
    if (step < sizeof(efi::MemoryDescriptor)) return;
    for (u64 at = 0; at + step <= size; at += step) {
        efi::MemoryDescriptor descriptor;
        std::memcpy(&descriptor, list + at, sizeof descriptor);
        if (!visit(descriptor)) return;
    }
}

/// The screen that the firmware has set up.
Screen parse_efi_screen(const EfiHandover& handover);

/// Loader, command line, modules, root pointer, screen and memory. Errors: as parse_efi_memory.
Result<> parse_efi(const EfiHandover& handover, BootInfo& out);

/// The firmware's memory map, in place of what `out` holds. Free memory is that of which the firmware says so, the loader's, and
/// that of boot services, which have ended (unless they are kept); only where it can be cached. [uefi 7.2.3]
/// Errors: einval (descriptors too small, regions that wrap), enospc (too many regions even when joined).
Result<> parse_efi_memory(const EfiHandover& handover, BootInfo& out);

}  // namespace px::boot
