// A translation buffer that forgets nothing by itself.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/host/tlb.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::arch {
namespace {

struct Key {
    u64 tag;
    u64 gfn;
    u32 cpu;
    auto operator<=>(const Key&) const = default;
};
std::mutex tlb_mutex;
std::map<Key, GfnEntry> tlb;

bool same(const GfnEntry& a, const GfnEntry& b) { return a.mfn == b.mfn && a.type == b.type; }

}  // namespace

GfnEntry host_translate(Domain& domain, Gfn gfn) {
    const GfnEntry truth = domain.physmap.lookup(gfn);
    const std::lock_guard lock(tlb_mutex);
    const Key key{domain.arch.tag, gfn.raw, this_cpu().id.raw};
    const auto cached = tlb.find(key);
    if (cached != tlb.end()) {
        if (!same(cached->second, truth)) {
            panic("stale translation used: domain {} gfn {:#x} was {:#x}, is {:#x}", domain.id, gfn, cached->second.mfn, truth.mfn);
        }
        return cached->second;
    }
    if (truth.type != GfnType::invalid) tlb.emplace(key, truth);
    return truth;
}

void host_tlb_flush(u64 tag) {
    const std::lock_guard lock(tlb_mutex);
    std::erase_if(tlb, [&](const auto& entry) { return entry.first.tag == tag; });
}

usize host_tlb_entries(const Domain& domain) {
    const std::lock_guard lock(tlb_mutex);
    return static_cast<usize>(std::ranges::count_if(tlb, [&](const auto& entry) { return entry.first.tag == domain.arch.tag; }));
}

}  // namespace px::arch
