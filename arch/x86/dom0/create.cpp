// The hardware domain: its kind and its share of the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/dom0/dom0.hpp"

namespace px {
namespace {

u64 frames_of(const cmdline::MemoryAmount& amount, u64 ram_frames) { return amount.resolve(ram_frames << page_shift) >> page_shift; }

}  // namespace

namespace dom0 {

cmdline::Dom0Kind kind_of(const cmdline::BootOptions& options) {
    const bool vt_x = (arch::host_cpuid(1).ecx >> 5 & 1) != 0;
    const bool amd_v = arch::cpuid(0x80000000).eax >= 0x80000001 && (arch::host_cpuid(0x80000001).ecx >> 2 & 1) != 0;
    return options.dom0.kind.value_or(vt_x || amd_v ? cmdline::Dom0Kind::pvh : cmdline::Dom0Kind::pv);
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
    if (dom0::kind_of(options) == cmdline::Dom0Kind::pv) dom0::create_pv(info, options);
    else dom0::create_pvh(info, options);
}

}  // namespace arch
}  // namespace px
