// Checking a kernel's segments and what its notes ask for.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/kernel_image.hpp"

#include <algorithm>

#include "boot/loader/bytes.hpp"

namespace px::loader {

Loaded<KernelImage> KernelImage::parse(std::span<const u8> elf_file) {
    KernelImage image;
    image.elf_ = TRY(ElfFile::parse(elf_file));
    for (u32 i = 0; i < image.elf_.segment_count(); ++i) {
        const auto segment = image.elf_.segment(i);
        if (segment.type == elf::pt_load && segment.memory_size != 0) TRY(image.add_segment(segment));
    }
    if (image.segment_count_ == 0) return Err{LoadError::nothing_to_load};
    image.notes_ = TRY(KernelNotes::read(image.elf_));
    return image;
}

Loaded<> KernelImage::add_segment(const ElfSegment& segment) {
    if (segment_count_ == max_segments) return Err{LoadError::too_many_segments};
    if (segment.file_size > segment.memory_size) return Err{LoadError::segment_shrinks};
    const auto bytes = TRY(slice(elf_.bytes(), segment.offset, segment.file_size, LoadError::segment_outside_file));

    Extent place{segment.physical_address, 0};
    if (__builtin_add_overflow(place.start, segment.memory_size, &place.end)) return Err{LoadError::segment_wraps};
    for (const auto& other : segments())
        if (other.place.overlaps(place)) return Err{LoadError::segments_overlap};

    extent_ = segment_count_ == 0 ? place : Extent{std::min(extent_.start, place.start), std::max(extent_.end, place.end)};
    segments_[segment_count_++] = {place, bytes};
    return {};
}

Loaded<u32> KernelImage::checked_entry(u64 entry) const {
    constexpr u64 limit = u64{1} << 32;
    if (extent_.end > limit) return Err{LoadError::pvh_above_4gib};
    const auto inside = [entry](const LoadSegment& segment) { return segment.place.contains(entry); };
    if (!std::ranges::any_of(segments(), inside)) return Err{LoadError::entry_outside_kernel};
    return static_cast<u32>(entry);
}

Loaded<u32> KernelImage::pvh_entry() const {
    TRY(notes_.require_pvh());
    return checked_entry(*notes_.phys32_entry);
}

Loaded<u32> KernelImage::firmware_entry() const { return checked_entry(elf_.entry()); }

Loaded<PvImage> KernelImage::pv() const {
    if (!elf_.is_64bit()) return Err{LoadError::pv_32bit};
    TRY(notes_.require_pv());
    PvImage pv{.base = notes_.virt_base.value_or(0), .paddr_offset = notes_.paddr_offset.value_or(0)};
    pv.kernel = {pv.to_virtual(extent_.start), pv.to_virtual(extent_.end)};
    if (pv.kernel.start >= pv.kernel.end) return Err{LoadError::pv_address_wraps};
    if (pv.base > pv.kernel.start) return Err{LoadError::pv_base_above_kernel};

    pv.entry = notes_.entry.value_or(elf_.entry());
    if (!pv.kernel.contains(pv.entry)) return Err{LoadError::entry_outside_kernel};
    pv.hypercall_page = notes_.hypercall_page;
    if (pv.hypercall_page && (*pv.hypercall_page % page_size != 0 || !pv.kernel.contains(*pv.hypercall_page)))
        return Err{LoadError::pv_hypercall_page_outside_kernel};
    pv.p2m = notes_.init_p2m;
    if (pv.p2m && pv.kernel.contains(*pv.p2m)) return Err{LoadError::pv_p2m_inside_kernel};
    return pv;
}

}  // namespace px::loader
