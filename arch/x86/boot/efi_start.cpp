// The EFI ways in: from the firmware's address space to ours.
//
// All of this runs at the address where firmware or GRUB put the image, not at the one it is linked for: no tables of pointers.
// The image needs no relocation: its virtual addresses are fixed, and the page tables that are made here say where it lies.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/boot/efi_start.hpp"

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "boot/efi/loader.hpp"
#include "boot/entry/multiboot2_efi.hpp"

namespace px::arch {

constinit boot::EfiHandover efi_handover{};

namespace {

extern "C" const char image_start[], image_end[];
/// Leaves for boot_start(protocol, info) with the page table `root`. head.S
extern "C" [[noreturn]] void efi_leave(u64 root, u64 protocol, u64 info);

constexpr u64 image_link_address = u64{2} << 20;          // image_load of xen.lds
constexpr u64 protocol_multiboot2 = 2, protocol_efi = 4;  // of head.S

/// The page tables that boot_start() begins with: as head.S makes them, but for an image at any address.
class BootTables {
public:
    /// Errors: enomem.
    Result<> map(u64 address, u64 physical, u64 bytes) {
        constexpr u64 large = u64{2} << 20;
        for (u64 done = 0; done < bytes;) {
            const u64 at = address + done, to = physical + done;
            const bool by_large = at % large == 0 && to % large == 0 && bytes - done >= large;
            u64* table = tables[0];
            for (unsigned level = 3; level > (by_large ? 1u : 0u); --level) table = TRY(below(table[at >> (12 + 9 * level) & 511]));
            table[at >> (by_large ? 21 : 12) & 511] = to | present_writable | (by_large ? leaf : 0);
            done += by_large ? large : page_size;
        }
        return {};
    }
    /// Another top-level slot shows what slot 0 does.
    void repeat_first_slot(unsigned slot) { tables[0][slot] = tables[0][0]; }
    u64 root() const { return reinterpret_cast<u64>(tables[0]); }

private:
    static constexpr u64 present_writable = 3, leaf = 0x80;
    static constexpr usize capacity = 32;
    static constexpr u64 address_mask = 0x000ffffffffff000;

    Result<u64*> below(u64& entry) {
        if (entry == 0) {
            REQUIRE(used_ < capacity, enomem);
            entry = reinterpret_cast<u64>(tables[used_++]) | present_writable;
        }
        return reinterpret_cast<u64*>(entry & address_mask);
    }

    alignas(page_size) static u64 tables[capacity][512];
    usize used_ = 1;
};
alignas(page_size) constinit u64 BootTables::tables[capacity][512] = {};

/// The first 4 GiB as themselves and in the direct map, the image as itself and where it is linked to run.
Result<u64> build_tables(const efi::Firmware& firmware) {
    constexpr u64 la57 = u64{1} << 12;
    if ((read_cr<4>() & la57) != 0) return firmware.fail("this firmware uses page tables of five levels, which is not supported yet");
    const u64 start = reinterpret_cast<u64>(image_start), size = static_cast<u64>(image_end - image_start);
    image_displacement = start - image_link_address;
    BootTables tables;
    const auto map_all = [&]() -> Result<> {
        TRY(tables.map(0, 0, u64{4} << 30));
        tables.repeat_first_slot((direct_map_base >> 39) & 511);
        if (start + size > u64{4} << 30) TRY(tables.map(start, start, size));
        return tables.map(image_base + image_link_address, start, size);
    };
    if (start % page_size != 0 || !map_all()) return firmware.fail("the image lies at {:#x}, where it can't be mapped", start);
    return tables.root();
}

Result<> start(const efi::Firmware& firmware, u64 protocol, u64 info) {
    const u64 root = TRY(build_tables(firmware));
    TRY(efi::take_over(firmware, efi_handover));
    efi_leave(root, protocol, info);
}

void say_goodbye(const efi::Firmware& firmware) {
    constexpr unsigned seconds = 15;
    firmware.say("Philoxen was not started. Press a key to go on (or wait {} seconds).", seconds);
    firmware.wait_for_key(seconds);
}

/// By the firmware, a shell, systemd-boot, GRUB's chainloader. Returns to whoever started the image.
extern "C" efi::Status efi_main(efi::Handle image, efi::SystemTable* system) {
    const efi::Firmware firmware(image, *system);
    const auto loaded = efi::load(firmware, efi_handover);
    if (loaded.ok() && !*loaded) return efi::success;
    if (loaded.ok()) (void)start(firmware, protocol_efi, 0).ok();
    say_goodbye(firmware);
    return efi::load_error;
}

/// By GRUB, which has loaded everything and left the firmware's boot services on.
extern "C" void efi_multiboot2_main(const u8* info) {
    const auto tags = boot::efi_of_multiboot2(info);
    if (!tags) return;  // there is nobody to tell
    const efi::Firmware firmware(reinterpret_cast<efi::Handle>(tags->image), *reinterpret_cast<efi::SystemTable*>(tags->system_table));
    (void)start(firmware, protocol_multiboot2, reinterpret_cast<u64>(info)).ok();
    say_goodbye(firmware);
    (void)firmware.boot().exit(firmware.image(), efi::load_error, 0, nullptr);
}

}  // namespace
}  // namespace px::arch
