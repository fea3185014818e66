// Mitigations of speculation.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/mitigations.hpp"

#include <utility>

#include "arch/x86/cpu/descriptors.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::arch {

constinit Mitigations detail::chosen_mitigations{};
using detail::chosen_mitigations;

void init_mitigations(const cmdline::SpecCtrl& wanted) {
    const auto facts = SpeculationFacts::read([](u32 leaf) { return host_cpuid(leaf); }, [](u32 index) { return read_msr(index); });
    chosen_mitigations = choose_mitigations(facts, wanted);
    const Mitigations& on = chosen_mitigations;
    log_info("speculation:{}{}{}{}", on.prediction_barrier ? " IBPB between guests" : "", on.clear_buffers ? " VERW at entries" : "",
             on.flush_l1d ? " L1D flush at entries" : "",
             on == Mitigations{} ? " nothing is done, for the CPU offers nothing or spec-ctrl= says so" : "");
}

void before_guest(u64 vcpu) {
    if (!chosen_mitigations.prediction_barrier || std::exchange(this_cpu().arch.last_guest, vcpu) == vcpu) return;
    write_msr(msr::prediction_command, 1);
}

void clear_before_entry() {
    static constexpr u16 selector = selector::data;
    if (chosen_mitigations.flush_l1d) write_msr(msr::flush_command, 1);
    if (chosen_mitigations.clear_buffers) asm volatile("verw %0" ::"m"(selector) : "cc");
}

}  // namespace px::arch
