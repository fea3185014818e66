// KernelImage: what of an unpacked kernel goes where in a guest's memory, and where it starts.
//
// From a file to a guest: find_payload(), unpack(), KernelImage::parse(), then pvh_entry() or pv(), load();
// for PVH plan_start_of_day() beside it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>

#include "boot/loader/extent.hpp"
#include "boot/loader/notes.hpp"

namespace px::loader {

/// A piece of guest memory: the file's bytes, then zeros up to the extent's end.
struct LoadSegment {
    Extent place;               ///< by the ELF file's physical addresses
    std::span<const u8> bytes;  ///< no longer than the place
};

/// What a PV start needs to know.
struct PvImage {
    u64 base = 0;                         ///< virtual address of pseudo-physical address 0
    u64 paddr_offset = 0;                 ///< by how much the ELF file's physical addresses exceed the pseudo-physical ones:
                                          ///< 0 in all but old kernels
    Extent kernel{};                      ///< virtual, from the first segment to the end of the last
    u64 entry = 0;                        ///< virtual, inside the kernel
    std::optional<u64> hypercall_page{};  ///< virtual, page aligned, inside the kernel
    std::optional<u64> p2m{};             ///< virtual address where the p2m table is wanted, outside of the kernel

    /// Of an address as in LoadSegment::place.
    constexpr u64 to_pseudo_physical(u64 elf_physical) const { return elf_physical - paddr_offset; }
    constexpr u64 to_virtual(u64 elf_physical) const { return to_pseudo_physical(elf_physical) + base; }
};

/// Keeps views of the ELF file's bytes, which must outlive it.
class KernelImage {
public:
    static constexpr usize max_segments = 32;

    /// The segments are checked: each lies in the file, none wraps, no two overlap, and there is one. The
    /// notes are read, but may be none: see pvh_entry() and pv(). Errors: those of ElfFile::parse() and
    /// KernelNotes::read(), segment_*, segments_overlap, too_many_segments, nothing_to_load.
    static Loaded<KernelImage> parse(std::span<const u8> elf_file);

    std::span<const LoadSegment> segments() const { return std::span{segments_}.first(segment_count_); }
    const KernelNotes& notes() const { return notes_; }
    const ElfFile& elf() const { return elf_; }
    /// From the lowest to the highest physical address of the segments.
    Extent extent() const { return extent_; }

    /// The physical address at which PVH starts it, with paging off.
    /// Errors: phys32_entry_missing, pvh_above_4gib, entry_outside_kernel.
    Loaded<u32> pvh_entry() const;
    /// The same for firmware such as hvmloader, which has no notes: the ELF header's entry.
    Loaded<u32> firmware_entry() const;
    /// Errors: pv_32bit; those of KernelNotes::require_pv(), entry_outside_kernel, pv_*.
    Loaded<PvImage> pv() const;

private:
    Loaded<> add_segment(const ElfSegment& segment);
    Loaded<u32> checked_entry(u64 entry) const;

    ElfFile elf_;
    KernelNotes notes_;
    std::array<LoadSegment, max_segments> segments_{};
    usize segment_count_ = 0;
    Extent extent_;
};

/// A guest's memory as a loader sees it: the hypervisor and the toolstack each have one. Errors are
/// guest_memory_write_failed.
template <class D>
concept Destination = requires(D& destination, Gpaddr address, std::span<const u8> bytes, u64 size) {
    { destination.write(address, bytes) } -> std::same_as<Loaded<>>;
    { destination.zero(address, size) } -> std::same_as<Loaded<>>;
};

/// Writes the segments, zeros included, to guest memory. On an error some of it may be written already.
Loaded<> load(const KernelImage& image, Destination auto& destination) {
    for (const auto& segment : image.segments()) {
        const Gpaddr start{segment.place.start};
        if (!segment.bytes.empty()) TRY(destination.write(start, segment.bytes));
        if (const u64 zeros = segment.place.size() - segment.bytes.size(); zeros != 0)
            TRY(destination.zero(start + segment.bytes.size(), zeros));
    }
    return {};
}

}  // namespace px::loader
