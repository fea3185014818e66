// Reading Xen's ELF notes.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/notes.hpp"

#include <algorithm>

#include "boot/loader/bytes.hpp"
#include "hypervisor/abi/elfnote.hpp"

namespace px::loader {
namespace {

using abi::ElfNote;
using abi::Feature;
using Bytes = std::span<const u8>;

struct FeatureName {
    std::string_view name;
    Feature feature;
};
constexpr FeatureName feature_names[] = {
    {"writable_page_tables", Feature::writable_page_tables},
    {"writable_descriptor_tables", Feature::writable_descriptor_tables},
    {"auto_translated_physmap", Feature::auto_translated_physmap},
    {"supervisor_mode_kernel", Feature::supervisor_mode_kernel},
    {"pae_pgdir_above_4gb", Feature::pae_pgdir_above_4gb},
    {"mmu_pt_update_preserve_ad", Feature::mmu_pt_update_preserve_ad},
    {"highmem_assist", Feature::highmem_assist},
    {"gnttab_map_avail_bits", Feature::gnttab_map_avail_bits},
    {"hvm_callback_vector", Feature::hvm_callback_vector},
    {"hvm_safe_pvclock", Feature::hvm_safe_pvclock},
    {"hvm_pirqs", Feature::hvm_pirqs},
    {"dom0", Feature::dom0},
    {"memory_op_vnode_supported", Feature::memory_op_vnode_supported},
    {"linux_rsdp_unrestricted", Feature::linux_rsdp_unrestricted},
    {"not_direct_mapped", Feature::not_direct_mapped},
    {"direct_mapped", Feature::direct_mapped},
};

/// A number of 1, 2, 4 or 8 bytes: the compilers of kernels choose.
Loaded<u64> number_of(Bytes value) {
    switch (value.size()) {
    case 1:
    case 2:
    case 4:
    case 8: break;
    default: return Err{LoadError::note_bad_number};
    }
    u64 number = 0;
    std::memcpy(&number, value.data(), value.size());
    return number;
}

/// Up to the first NUL, or all of it.
std::string_view text_of(Bytes value) {
    const auto end = std::find(value.begin(), value.end(), u8{0});
    return {reinterpret_cast<const char*>(value.data()), static_cast<usize>(end - value.begin())};
}

/// A pair of 32-bit or 64-bit numbers; more pairs may follow, the first counts.
Loaded<L1MfnValid> pair_of(Bytes value, bool is_64bit) {
    if (is_64bit) return TRY(read_at<L1MfnValid>(value, 0, LoadError::note_bad_number));
    struct Narrow {
        u32 mask, value;
    };
    const auto narrow = TRY(read_at<Narrow>(value, 0, LoadError::note_bad_number));
    return L1MfnValid{narrow.mask, narrow.value};
}

/// FEATURES: names separated by |; one behind a ! is required. An unknown one is ignored unless it is
/// required.
Loaded<> add_features(KernelNotes& notes, std::string_view list) {
    while (!list.empty()) {
        const auto end = static_cast<usize>(std::ranges::find(list, '|') - list.begin());
        auto name = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        const bool required = name.starts_with('!');
        if (required) name.remove_prefix(1);
        const auto* known = std::ranges::find(feature_names, name, &FeatureName::name);
        if (known != std::end(feature_names)) {
            notes.features_supported.add(known->feature);
            if (required) notes.features_required.add(known->feature);
        } else if (required) {
            return Err{LoadError::note_unknown_required_feature};
        }
    }
    return {};
}

Loaded<> add_note(KernelNotes& notes, ElfNote type, Bytes value, bool is_64bit) {
    notes.any = true;
    switch (type) {
    case ElfNote::phys32_entry: notes.phys32_entry = TRY(number_of(value)); break;
    case ElfNote::entry: notes.entry = TRY(number_of(value)); break;
    case ElfNote::hypercall_page: notes.hypercall_page = TRY(number_of(value)); break;
    case ElfNote::virt_base: notes.virt_base = TRY(number_of(value)); break;
    case ElfNote::paddr_offset: notes.paddr_offset = TRY(number_of(value)); break;
    case ElfNote::init_p2m: notes.init_p2m = TRY(number_of(value)); break;
    case ElfNote::hv_start_low: notes.hv_start_low = TRY(number_of(value)); break;
    case ElfNote::l1_mfn_valid: notes.l1_mfn_valid = TRY(pair_of(value, is_64bit)); break;
    case ElfNote::xen_version: notes.xen_version = text_of(value); break;
    case ElfNote::guest_os: notes.guest_os = text_of(value); break;
    case ElfNote::guest_version: notes.guest_version = text_of(value); break;
    case ElfNote::loader: notes.loader = text_of(value); break;
    case ElfNote::pae_mode: notes.pae_mode = text_of(value); break;
    case ElfNote::features: return add_features(notes, text_of(value));
    case ElfNote::supported_features:
        notes.supported_features_given = true;
        notes.features_supported.bits |= static_cast<u32>(TRY(number_of(value)));
        break;
    case ElfNote::suspend_cancel: notes.suspend_cancel = TRY(number_of(value)) != 0; break;
    case ElfNote::mod_start_pfn: notes.mod_start_pfn = TRY(number_of(value)) != 0; break;
    case ElfNote::bsd_symtab: notes.bsd_symtab = text_of(value) == "yes"; break;
    default: break;
    }
    return {};
}

/// Notes one after the other, their names and values padded to 4 bytes. Fewer bytes than a header at the end
/// are padding.
Loaded<> add_block(KernelNotes& notes, Bytes block, bool is_64bit) {
    struct Header {
        u32 name_size, value_size, type;
    };
    while (block.size() >= sizeof(Header)) {
        const auto header = TRY(read_at<Header>(block, 0, LoadError::note_truncated));
        const u64 value_at = sizeof(Header) + align_up<u64>(header.name_size, 4);
        const auto name = TRY(slice(block, sizeof(Header), header.name_size, LoadError::note_truncated));
        const auto value = TRY(slice(block, value_at, header.value_size, LoadError::note_truncated));
        if (text_of(name) == "Xen") TRY(add_note(notes, ElfNote{header.type}, value, is_64bit));
        block = block.subspan(std::min<u64>(value_at + align_up<u64>(header.value_size, 4), block.size()));
    }
    return {};
}

}  // namespace

Loaded<KernelNotes> KernelNotes::read(const ElfFile& elf) {
    KernelNotes notes;
    for (u32 i = 0; i < elf.segment_count(); ++i) {
        const auto segment = elf.segment(i);
        if (segment.type != elf::pt_note) continue;
        const auto block = TRY(slice(elf.bytes(), segment.offset, segment.file_size, LoadError::note_outside_file));
        TRY(add_block(notes, block, elf.is_64bit()));
    }
    if (notes.any) return notes;
    for (u32 i = 0; i < elf.section_count(); ++i) {
        const auto section = elf.section(i);
        if (section.type != elf::sht_note) continue;
        const auto block = TRY(slice(elf.bytes(), section.offset, section.size, LoadError::note_outside_file));
        TRY(add_block(notes, block, elf.is_64bit()));
    }
    return notes;
}

Loaded<> KernelNotes::require_pvh() const {
    if (!phys32_entry) return Err{LoadError::phys32_entry_missing};
    return {};
}

Loaded<> KernelNotes::require_pv() const {
    constexpr Feature of_pvh[] = {Feature::auto_translated_physmap,
                                  Feature::supervisor_mode_kernel,
                                  Feature::hvm_callback_vector,
                                  Feature::hvm_safe_pvclock,
                                  Feature::hvm_pirqs,
                                  Feature::not_direct_mapped};
    for (const Feature feature : of_pvh) {
        if (features_required.has(feature)) return Err{LoadError::pv_requires_hvm};
    }
    if (xen_version.empty()) return Err{LoadError::xen_version_missing};
    if (!xen_version.starts_with("xen-3.0")) return Err{LoadError::xen_version_wrong};
    if (guest_os.starts_with("linux")) return {};
    if (loader.empty()) return Err{LoadError::loader_missing};
    if (!loader.starts_with("generic")) return Err{LoadError::loader_wrong};
    return {};
}

Loaded<> KernelNotes::require_pv_dom0() const {
    if (supported_features_given && !features_supported.has(Feature::dom0)) return Err{LoadError::pv_not_dom0};
    return {};
}

}  // namespace px::loader
