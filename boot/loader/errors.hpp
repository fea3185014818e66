// Why a kernel can't be loaded: one enumerator and one plain sentence per cause.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px::loader {

enum class LoadError : u8 {
    // The file as a whole and its bzImage wrapping.
    not_a_kernel,
    bzimage_truncated,
    bzimage_too_old,
    payload_outside_file,
    payload_of_unknown_format,
    // Its compressed payload.
    bzip2_unsupported,
    lzo_unsupported,
    lz4_frame_unsupported,
    compressed_truncated,
    compressed_corrupt,
    unpacked_size_absurd,
    unpacked_size_differs,
    output_too_small,
    scratch_too_small,
    // The ELF file.
    elf_truncated,
    elf_bad_identity,
    elf_wrong_machine,
    elf_wrong_type,
    elf_bad_tables,
    elf_tables_outside_file,
    segment_outside_file,
    segment_shrinks,
    segment_wraps,
    segments_overlap,
    too_many_segments,
    nothing_to_load,
    // Its Xen notes.
    note_outside_file,
    note_truncated,
    note_bad_number,
    note_unknown_required_feature,
    phys32_entry_missing,
    xen_version_missing,
    xen_version_wrong,
    loader_missing,
    loader_wrong,
    // What it asks for.
    pv_32bit,
    pv_requires_hvm,
    pv_not_dom0,
    pvh_above_4gib,
    entry_outside_kernel,
    pv_address_wraps,
    pv_base_above_kernel,
    pv_hypercall_page_outside_kernel,
    pv_p2m_inside_kernel,
    pv_base_unaligned,
    pv_addresses_taken,
    pv_p2m_in_the_way,
    pv_too_little_memory,
    pv_command_line_too_long,
    // Its place in the guest's memory.
    memory_map_empty,
    memory_map_invalid,
    kernel_outside_ram,
    too_many_modules,
    ramdisk_does_not_fit,
    tables_do_not_fit,
    buffer_too_small,
    guest_memory_write_failed,
};
inline constexpr LoadError last_load_error = LoadError::guest_memory_write_failed;

template <class T = void>
using Loaded = Result<T, LoadError>;

/// The cause as a sentence that begins in lower case and has no full stop: it follows "cannot load KERNEL: ".
std::string_view describe(LoadError error);

}  // namespace px::loader
