// The first page tables of a PV kernel, one table at a time.
//
// They hold what a guest would write by itself: whoever makes the domain has them validated like any other [docs pv.md].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "boot/loader/pv_start.hpp"

namespace px::loader {

using TablePage = std::span<u64, page_size / sizeof(u64)>;

/// Calls visit(pfn, run, index) for each table, a Loaded<>, until one fails.
template <class Visit>
Loaded<> for_each_pv_table(const PvStart& plan, Visit visit) {
    for (const auto* runs : {&plan.runs, &plan.p2m_runs}) {
        for (const TableRun& run : *runs) {
            for (u64 i = 0; i < run.place.count; ++i) TRY(visit(run.place.first + i, run, run.first_index + i));
        }
    }
    return {};
}

namespace detail {
/// The frame that entry `index` (of the whole address space) of a table of `level` names, and whether it may be written.
struct Named {
    u64 pfn;
    bool writable;
};
std::optional<Named> named_by(const PvStart& plan, unsigned level, u64 index);
inline constexpr u64 present = 1, writable = 2, user = 4, accessed = 0x20, dirty = 0x40;
}  // namespace detail

/// The content of table `index` of the run. `mfn_of(pfn)` gives the frame's machine frame number.
template <class MfnOf>
void fill_pv_table(const PvStart& plan, unsigned level, u64 index, MfnOf mfn_of, TablePage out) {
    using namespace detail;
    for (usize i = 0; i < out.size(); ++i) {
        const auto named = named_by(plan, level, index * out.size() + i);
        if (!named) {
            out[i] = 0;
            continue;
        }
        // Pages are the kernel's: no user bit in what maps them.
        const u64 flags = present | accessed | (named->writable ? writable | dirty : 0) | (level > 1 ? user : 0);
        out[i] = static_cast<u64>(mfn_of(named->pfn)) << page_shift | flags;
    }
}

}  // namespace px::loader
