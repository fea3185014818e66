// The hardware domain: its kind and its share of the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/x86/dom0/dom0.hpp"
#include "arch/x86/dom0/kind.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "hypervisor/console/log.hpp"

namespace px {
namespace dom0 {
namespace {

u64 frames_of(const cmdline::MemoryAmount& amount, u64 ram_frames) { return amount.resolve(ram_frames << page_shift) >> page_shift; }

/// No driver for one exists yet.
constexpr bool iommu_in_use = false;

KindChoice choose(const cmdline::BootOptions& options, bool hvm) {
    const PvState pv = !pv_is_built() ? PvState::left_out : options.pv ? PvState::usable : PvState::turned_off;
    return choose_kind({options.dom0.kind, pv, hvm, iommu_in_use});
}

}  // namespace

bool wants_own_addresses(const cmdline::BootOptions& options) {
    // With an IOMMU the kind would be PVH by default, and PV after a probe that found nothing: what was set aside is to be given back then.
    static_assert(!iommu_in_use);
    return choose(options, true).kind == cmdline::Dom0Kind::pvh;
}

u64 share_of(const cmdline::BootOptions& options, u64 ram_frames) {
    const u64 headroom = std::min<u64>(ram_frames / 8, (u64{256} << 20) >> page_shift);
    u64 wanted = std::min<u64>(ram_frames / 2, (u64{8} << 30) >> page_shift);
    const cmdline::Dom0Memory& chosen = options.dom0_mem;
    if (chosen.initial) wanted = frames_of(*chosen.initial, ram_frames);
    if (chosen.min) wanted = std::max(wanted, frames_of(*chosen.min, ram_frames));
    if (chosen.max) wanted = std::min(wanted, frames_of(*chosen.max, ram_frames));
    return std::min(wanted, ram_frames - headroom);
}

u64 most_frames(const cmdline::BootOptions& options, u64 ram_frames, u64 share) {
    return options.dom0_mem.max ? std::max(share, frames_of(*options.dom0_mem.max, ram_frames)) : share;
}

}  // namespace dom0

namespace arch {

void create_dom0(const boot::BootInfo& info, const cmdline::BootOptions& options) {
    const dom0::KindChoice choice = dom0::choose(options, hvm::backend() != nullptr);
    if (!choice.kind) panic("{}", choice.reason);
    const bool pv = choice.kind == cmdline::Dom0Kind::pv;
    log_info("dom0: {}, for {}", pv ? "PV" : "PVH", choice.reason);
    if (pv) dom0::create_pv(info, options);
    else dom0::create_pvh(info, options);
}

}  // namespace arch
}  // namespace px
