// What the entries of a PV kernel's first page tables name.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/pv_tables.hpp"

namespace px::loader::detail {
namespace {

constexpr u64 page_index(u64 address) { return (address & ((u64{1} << 48) - 1)) >> page_shift; }

std::optional<Named> page_at(const PvStart& plan, u64 index) {
    if (const u64 pfn = index - page_index(plan.base); pfn < plan.mapped) return Named{pfn, !plan.tables.contains(pfn)};
    if (!plan.p2m_apart) return std::nullopt;
    if (const u64 i = index - page_index(plan.p2m_address); i < plan.p2m.count) return Named{plan.p2m.first + i, true};
    return std::nullopt;
}

}  // namespace

std::optional<Named> named_by(const PvStart& plan, unsigned level, u64 index) {
    if (level == 1) return page_at(plan, index);
    for (const auto* runs : {&plan.runs, &plan.p2m_runs}) {
        const TableRun& below = (*runs)[4 - (level - 1)];
        if (below.holds(index)) return Named{below.pfn_of(index), true};
    }
    return std::nullopt;
}

}  // namespace px::loader::detail
