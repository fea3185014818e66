// The end of boot services: what is noted before, and the memory map.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "boot/efi/loader.hpp"
#include "boot/efi/screen.hpp"

namespace px::efi {
namespace {

/// Said by the firmware, not believed: as much as there is room for.
void note_memory_attributes(const Firmware& firmware, boot::EfiHandover& out) {
    const u64 table = firmware.configuration_table(memory_attributes_guid);
    if (table == 0) return;
    MemoryAttributes head;
    std::memcpy(&head, reinterpret_cast<const void*>(table), sizeof head);
    const u64 size = u64{head.entries} * head.descriptor_size;
    if (head.descriptor_size < sizeof(MemoryDescriptor) || size > sizeof out.rights) return;
    std::memcpy(out.rights, reinterpret_cast<const u8*>(table) + sizeof head, size);
    out.rights_size = size;
    out.rights_descriptor_size = head.descriptor_size;
}

/// What the hardware domain may ask for later.
void note_firmware(const Firmware& firmware, boot::EfiHandover& out) {
    const SystemTable& system = firmware.system();
    out.system_table = reinterpret_cast<u64>(&system);
    out.runtime_table = reinterpret_cast<u64>(system.runtime);
    out.tables = reinterpret_cast<u64>(system.tables);
    out.tables_count = system.tables_count;
    out.rsdp = firmware.configuration_table(acpi_table_guid);
    if (out.rsdp == 0) out.rsdp = firmware.configuration_table(acpi1_table_guid);
    out.firmware_revision = system.header.revision;
    out.vendor_revision = system.vendor_revision;
    out.runtime_revision = system.runtime->header.revision;
    char vendor[64];
    usize length = 0;
    for (; system.vendor != nullptr && system.vendor[length] != 0 && length < sizeof vendor; ++length) {
        const char16_t c = system.vendor[length];
        vendor[length] = c >= ' ' && c < 0x7f ? static_cast<char>(c) : '?';
    }
    out.vendor = out.keep({vendor, length}).value_or({0, 0});
    note_memory_attributes(firmware, out);
}

}  // namespace

Result<> take_over(const Firmware& firmware, boot::EfiHandover& out) {
    // The map's key is void when the map changed in between, as by an event of a driver: again then. [uefi 7.4.6]
    constexpr unsigned attempts = 8;
    note_firmware(firmware, out);
    note_screen(firmware, out);
    Status status = success;
    for (unsigned i = 0; i < attempts; ++i) {
        u64 key = 0;
        u32 version = 0;
        out.map_size = sizeof out.map;
        status = firmware.boot().get_memory_map(&out.map_size, out.map, &key, &out.descriptor_size, &version);
        if (failed(status)) break;
        status = firmware.boot().exit_boot_services(firmware.image(), key);
        if (!failed(status)) return {};
    }
    return firmware.fail("the firmware doesn't let go of the machine (memory map of {} bytes): {}", out.map_size, describe(status));
}

}  // namespace px::efi
