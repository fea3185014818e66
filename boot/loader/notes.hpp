// KernelNotes: what a kernel says about itself in its Xen ELF notes [xen/public elfnote.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "boot/loader/elf.hpp"
#include "hypervisor/abi/features.hpp"

namespace px::loader {

/// A set of abi::Feature.
struct FeatureSet {
    u32 bits = 0;
    constexpr bool has(abi::Feature feature) const { return bits >> static_cast<u32>(feature) & 1; }
    constexpr void add(abi::Feature feature) { bits |= 1u << static_cast<u32>(feature); }
};

/// How the kernel marks a non-present page-table entry that still holds a frame number.
struct L1MfnValid {
    u64 mask;
    u64 value;
};

/// An absent note is nullopt or an empty string. Addresses are virtual but for phys32_entry. Strings are
/// views of the file.
struct KernelNotes {
    bool any = false;  ///< there is a Xen note at all

    std::optional<u64> phys32_entry;
    std::optional<u64> entry;
    std::optional<u64> hypercall_page;
    std::optional<u64> virt_base;
    std::optional<u64> paddr_offset;
    std::optional<u64> init_p2m;
    std::optional<u64> hv_start_low;
    std::optional<L1MfnValid> l1_mfn_valid;

    std::string_view xen_version;
    std::string_view guest_os;
    std::string_view guest_version;
    std::string_view loader;
    std::string_view pae_mode;

    FeatureSet features_supported;          ///< of FEATURES and SUPPORTED_FEATURES together
    FeatureSet features_required;           ///< those with a ! in FEATURES
    bool supported_features_given = false;  ///< there is a SUPPORTED_FEATURES note
    bool suspend_cancel = false;
    bool mod_start_pfn = false;  ///< a ramdisk outside of the initial mapping is fine
    bool bsd_symtab = false;

    /// The PT_NOTE segments' notes; if there is no Xen note among them, those of the SHT_NOTE sections. Of
    /// notes of one type the last counts. Errors: note_outside_file, note_truncated, note_bad_number,
    /// note_unknown_required_feature.
    static Loaded<KernelNotes> read(const ElfFile& elf);

    /// Whether the notes suffice for a start as PVH: phys32_entry_missing otherwise.
    Loaded<> require_pvh() const;
    /// Whether they suffice for a start as PV: xen_version_missing, xen_version_wrong, loader_missing,
    /// loader_wrong, pv_requires_hvm otherwise. A Linux kernel needs no LOADER.
    Loaded<> require_pv() const;
    /// Whether they allow a start as PV dom0: pv_not_dom0 otherwise.
    Loaded<> require_pv_dom0() const;
};

}  // namespace px::loader
