// Mitigations of speculation.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/mitigations.hpp"

#include <cstring>
#include <utility>

#include "arch/x86/cpu/descriptors.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::arch {

constinit Mitigations detail::chosen_mitigations{};
using detail::chosen_mitigations;

namespace {

extern "C" u8 indirect_branches[], indirect_branches_end[];
extern "C" const u8 indirect_branch_retpolines[];

/// Only this CPU runs, and nothing returns into the bytes that change.
void put_retpolines_in_place() {
    std::memcpy(indirect_branches, indirect_branch_retpolines, static_cast<usize>(indirect_branches_end - indirect_branches));
    cpuid(0);  // serialises: no old bytes are executed
}

std::string_view name_of(OwnBranches branches) {
    switch (branches) {
    case OwnBranches::plain: return "";
    case OwnBranches::retpolines: return " retpolines";
    case OwnBranches::enhanced_ibrs: return " enhanced IBRS";
    case OwnBranches::automatic_ibrs: return " automatic IBRS";
    }
    __builtin_unreachable();
}

}  // namespace

void init_mitigations(const cmdline::SpecCtrl& wanted) {
    const auto facts = SpeculationFacts::read([](u32 leaf) { return host_cpuid(leaf); }, [](u32 index) { return read_msr(index); });
    chosen_mitigations = choose_mitigations(facts, wanted);
    const Mitigations& on = chosen_mitigations;
    if (on.own_branches == OwnBranches::retpolines) put_retpolines_in_place();
    log_info("speculation:{}{}{}{}{}", name_of(on.own_branches), on.prediction_barrier ? " IBPB between guests" : "",
             on.clear_buffers ? " VERW at entries" : "", on.flush_l1d ? " L1D flush at entries" : "",
             on == Mitigations{} ? " nothing is done, for the CPU offers nothing or spec-ctrl= says so" : "");
}

void enable_mitigations() {
    if (chosen_mitigations.own_branches == OwnBranches::enhanced_ibrs) write_msr(msr::speculation_control, 1);
    if (chosen_mitigations.own_branches == OwnBranches::automatic_ibrs) write_msr(msr::efer, read_msr(msr::efer) | efer::aibrse);
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
