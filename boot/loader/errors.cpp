// The sentences of LoadError.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/errors.hpp"

namespace px::loader {

std::string_view describe(LoadError error) {
    using enum LoadError;
    switch (error) {
    case not_a_kernel: return "it is neither a bzImage nor an ELF file, plain or compressed";
    case bzimage_truncated: return "the bzImage ends inside its setup header";
    case bzimage_too_old:
        return "the bzImage speaks a boot protocol older than 2.08 (Linux 2.6.26), which doesn't say "
               "where its payload is";
    case payload_outside_file: return "the bzImage is truncated: its header places the payload beyond the end of the file";
    case payload_of_unknown_format: return "the bzImage's payload is neither ELF nor of a known compression";
    case bzip2_unsupported: return "the kernel is compressed with bzip2, which isn't supported: use gzip, xz, zstd or lz4";
    case lzo_unsupported: return "the kernel is compressed with LZO, which isn't supported: use gzip, xz, zstd or lz4";
    case lz4_frame_unsupported: return "the kernel is in the LZ4 frame format, which isn't supported: use the legacy one of lz4 -l";
    case compressed_truncated: return "the file is truncated: it ends inside the compressed kernel";
    case compressed_corrupt: return "the compressed kernel is damaged";
    case unpacked_size_absurd: return "the kernel claims to unpack to more than 1 GiB";
    case unpacked_size_differs: return "the kernel unpacks to another size than the file says: the file is damaged";
    case output_too_small: return "the kernel unpacks to more than the memory set aside for it";
    case scratch_too_small: return "unpacking the kernel needs more working memory than was set aside";
    case elf_truncated: return "the ELF file ends inside its header";
    case elf_bad_identity: return "the kernel is not a little-endian ELF file of version 1";
    case elf_wrong_machine: return "the ELF file is for another processor architecture than x86";
    case elf_wrong_type: return "the ELF file is not an executable";
    case elf_bad_tables: return "the ELF header gives its tables entries of a wrong size";
    case elf_tables_outside_file: return "the ELF file is truncated: it ends before its header tables do";
    case segment_outside_file: return "the ELF file is truncated: it ends inside a segment that is to be loaded";
    case segment_shrinks: return "an ELF segment holds more bytes in the file than in memory";
    case segment_wraps: return "an ELF segment wraps around the end of the address space";
    case segments_overlap: return "two ELF segments overlap in memory";
    case too_many_segments: return "the ELF file has more than 32 segments to load";
    case nothing_to_load: return "the ELF file has no segment to load";
    case note_outside_file: return "the ELF file is truncated: it ends inside its notes";
    case note_truncated: return "an ELF note reaches beyond the notes' end";
    case note_bad_number: return "an ELF note of Xen that must hold a number has a wrong size";
    case note_unknown_required_feature: return "the kernel's FEATURES note requires a feature that is unknown here";
    case phys32_entry_missing: return "the kernel has no PHYS32_ENTRY note: it can't be started as PVH";
    case xen_version_missing: return "the kernel has no XEN_VERSION note: it can't be started as PV";
    case xen_version_wrong: return "the kernel's XEN_VERSION note is not xen-3.0: it can't be started as PV";
    case loader_missing: return "the kernel has no LOADER note: it can't be started as PV";
    case loader_wrong: return "the kernel's LOADER note is not generic: it can't be started as PV";
    case pv_32bit: return "it is a 32-bit PV kernel, which isn't supported: use a 64-bit one, or start it as PVH or HVM";
    case pv_requires_hvm: return "the kernel's FEATURES note requires a feature that only PVH has: it can't be started as PV";
    case pv_not_dom0: return "the kernel's SUPPORTED_FEATURES note says that it can't be dom0 as PV";
    case pvh_above_4gib: return "the kernel wants to be loaded above 4 GiB, where PVH can't start it";
    case entry_outside_kernel: return "the kernel's entry point lies outside its segments";
    case pv_address_wraps: return "the kernel's virtual addresses wrap around the end of the address space";
    case pv_base_above_kernel: return "the kernel's VIRT_BASE note lies above its first segment";
    case pv_hypercall_page_outside_kernel: return "the kernel's HYPERCALL_PAGE note lies outside its segments or within a page";
    case pv_p2m_inside_kernel: return "the kernel's INIT_P2M note lies inside its segments";
    case pv_base_unaligned: return "the kernel's VIRT_BASE note lies within a page";
    case pv_addresses_taken:
        return "the kernel's virtual addresses aren't canonical or reach into the hypervisor's: its VIRT_BASE note is wrong";
    case pv_p2m_in_the_way:
        return "the kernel's INIT_P2M note lies within a page, in the hypervisor's addresses, or where its start information goes";
    case pv_too_little_memory: return "the memory is too small for the kernel, its ramdisk and its first page tables";
    case pv_command_line_too_long: return "the command line is longer than the 1023 characters that a PV kernel can be given";
    case memory_map_empty: return "the memory map has no RAM";
    case memory_map_invalid: return "the memory map has an empty, wrapping or overlapping range";
    case kernel_outside_ram: return "the kernel's load address has no RAM: the memory is too small or has a hole there";
    case too_many_modules: return "there are more than 16 modules beside the kernel";
    case ramdisk_does_not_fit: return "the ramdisk doesn't fit into the RAM between the kernel and 4 GiB";
    case tables_do_not_fit: return "the start information doesn't fit into the RAM between the kernel and 4 GiB";
    case buffer_too_small: return "the buffer for the start information is too small";
    case guest_memory_write_failed: return "the kernel could not be written to the guest's memory";
    }
    return "unknown error";
}

}  // namespace px::loader
