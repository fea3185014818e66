// Placing a PV kernel's start of day.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/pv_start.hpp"

#include <utility>

#include "hypervisor/abi/x86/vcpu_context.hpp"

namespace px::loader {
namespace {

constexpr u64 region_alignment = u64{4} << 20, least_padding = u64{512} << 10;
constexpr u64 linear_mask = (u64{1} << 48) - 1;
/// More than any machine has; sums of a few such numbers of bytes can't overflow.
constexpr u64 most_pages = u64{1} << 40;

constexpr u64 frames_of(u64 bytes) { return (bytes >> page_shift) + (bytes % page_size != 0); }

/// [start, start + frames) are addresses that a guest may map.
bool is_guests(u64 start, u64 frames) {
    constexpr u64 lower_end = u64{1} << 47;
    const u64 size = frames << page_shift;
    if (start < lower_end) return size <= lower_end - start;
    return start >= abi::x86::hypervisor_virt_end && size <= 0 - start;
}

/// Index of the table of `level` that maps the address.
constexpr u64 table_index(u64 address, unsigned level) { return (address & linear_mask) >> (page_shift + 9 * level); }

/// The tables that [start, start + frames) needs, from `pfn` on, the highest level first.
std::array<TableRun, 4> lay_tables(u64 start, u64 frames, u64 pfn) {
    std::array<TableRun, 4> runs;
    const u64 last = start + ((frames - 1) << page_shift);
    for (unsigned level = 4; level >= 1; --level) {
        const u64 first = table_index(start, level);
        runs[4 - level] = {level, first, {pfn, table_index(last, level) - first + 1}};
        pfn = runs[4 - level].place.end();
    }
    return runs;
}

u64 count_of(const std::array<TableRun, 4>& runs) { return runs.back().place.end() - runs.front().place.first; }

/// As lay_tables(), without tables that `others` has: of two regions that don't overlap, that is at most one of each level, the first or
/// the last.
std::array<TableRun, 4> lay_further_tables(u64 start, u64 frames, u64 pfn, const std::array<TableRun, 4>& others) {
    auto runs = lay_tables(start, frames, pfn);
    for (usize i = 0; i < runs.size(); ++i) {
        TableRun& run = runs[i];
        if (run.place.count != 0 && others[i].holds(run.first_index)) {
            ++run.first_index;
            --run.place.count;
        }
        if (run.place.count != 0 && others[i].holds(run.first_index + run.place.count - 1)) --run.place.count;
        run.place.first = pfn;
        pfn = run.place.end();
    }
    return runs;
}

/// The mapped region's end and its tables depend on each other: it grows until they are in it.
Loaded<> lay_tables_and_stack(PvStart& plan, u64 pfn) {
    u64 tables = 0;
    for (;;) {
        const u64 end = plan.to_virtual(pfn + tables + 1) + least_padding;
        plan.mapped = (align_up(end, region_alignment) - plan.base) >> page_shift;
        if (!is_guests(plan.base, plan.mapped)) return Err{LoadError::pv_addresses_taken};
        plan.runs = lay_tables(plan.base, plan.mapped, pfn);
        if (count_of(plan.runs) == tables) break;
        tables = count_of(plan.runs);
    }
    plan.tables = {pfn, tables};
    plan.stack = plan.tables.end();
    return {};
}

Loaded<> place_list_apart(PvStart& plan, u64 address) {
    if (address % page_size != 0 || !is_guests(address, plan.p2m.count)) return Err{LoadError::pv_p2m_in_the_way};
    const Extent list{address, address + (plan.p2m.count << page_shift)};
    if (list.overlaps({plan.base, plan.to_virtual(plan.mapped)})) return Err{LoadError::pv_p2m_in_the_way};
    plan.p2m_address = address;
    plan.p2m.first = plan.mapped;
    plan.p2m_runs = lay_further_tables(address, plan.p2m.count, plan.p2m.end(), plan.runs);
    plan.p2m_tables = {plan.p2m.end(), count_of(plan.p2m_runs)};
    return {};
}

}  // namespace

Loaded<PvStart> plan_pv_start(const PvStartRequest& request) {
    const PvImage& image = request.image;
    if (image.base % page_size != 0) return Err{LoadError::pv_base_unaligned};
    const u64 pages = request.pages;
    if (pages > most_pages || frames_of(request.ramdisk_size) > pages || (image.kernel.end - image.base) >> page_shift >= pages) {
        return Err{LoadError::pv_too_little_memory};
    }
    PvStart plan{.base = image.base, .entry = image.entry, .ramdisk_by_pfn = request.ramdisk_by_pfn};
    const u64 kernel_first = (image.kernel.start - image.base) >> page_shift;
    u64 next = frames_of(image.kernel.end - image.base);
    plan.kernel = {kernel_first, next - kernel_first};
    const auto take = [&](u64 count) { return std::exchange(next, next + count); };

    const u64 ramdisk = frames_of(request.ramdisk_size);
    if (ramdisk != 0 && !request.ramdisk_by_pfn) plan.ramdisk = {take(ramdisk), ramdisk};
    plan.p2m.count = frames_of(pages * sizeof(u64));
    plan.p2m_apart = image.p2m.has_value();
    if (!plan.p2m_apart) plan.p2m.first = take(plan.p2m.count);
    plan.start_info = take(1);
    if (request.has_rings) {
        plan.store = take(1);
        plan.console = take(1);
    }
    if (next > pages) return Err{LoadError::pv_too_little_memory};
    TRY(lay_tables_and_stack(plan, next));

    if (plan.p2m_apart) TRY(place_list_apart(plan, *image.p2m));
    else plan.p2m_address = plan.to_virtual(plan.p2m.first);
    if (ramdisk != 0 && request.ramdisk_by_pfn) plan.ramdisk = {plan.used(), ramdisk};
    if (plan.used() > pages) return Err{LoadError::pv_too_little_memory};
    return plan;
}

}  // namespace px::loader
