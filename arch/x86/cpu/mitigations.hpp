// What is done so that a guest's speculation doesn't reach what other guests and the hypervisor left in the processor.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/registers.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// What the processor says. [intel/sdm4 table 2-2 IA32_ARCH_CAPABILITIES] [amd/apm2 3.2.9]
struct SpeculationFacts {
    bool prediction_barrier = false;  ///< IA32_PRED_CMD exists
    bool verw_clears = false;         ///< MD_CLEAR: VERW overwrites the buffers
    bool l1d_flush = false;           ///< IA32_FLUSH_CMD exists
    bool intel = false;
    bool speculation_control = false;  ///< IA32_SPEC_CTRL exists
    bool automatic_ibrs = false;       ///< EFER.AIBRSE exists
    u64 arch_capabilities = 0;         ///< 0 where there is no such MSR

    /// `cpuid(leaf)` with sub-leaf 0, `read_msr(index)` of MSRs that exist.
    template <class Cpuid, class ReadMsr>
    static SpeculationFacts read(Cpuid cpuid, ReadMsr read_msr) {
        constexpr u32 genuine_intel = 0x756e6547;  // "Genu"
        const auto zero = cpuid(0);
        const u32 seven = zero.eax >= 7 ? cpuid(7).edx : 0;
        const u32 last = cpuid(0x80000000).eax;
        const u32 eight = last >= 0x80000008 ? cpuid(0x80000008).ebx : 0, twenty_one = last >= 0x80000021 ? cpuid(0x80000021).eax : 0;
        const auto bit = [](u32 value, unsigned number) { return (value >> number & 1) != 0; };
        return {.prediction_barrier = bit(seven, 26) || bit(eight, 12),
                .verw_clears = bit(seven, 10),
                .l1d_flush = bit(seven, 28),
                .intel = zero.ebx == genuine_intel,
                .speculation_control = bit(seven, 26),
                .automatic_ibrs = bit(twenty_one, 8),
                .arch_capabilities = bit(seven, 29) ? read_msr(msr::arch_capabilities) : 0};
    }
};

/// How the hypervisor's own indirect branches are kept from what guests trained.
enum class OwnBranches : u8 {
    plain,
    retpolines,
    enhanced_ibrs,   ///< IA32_SPEC_CTRL.IBRS, set once: predictions of less privileged modes don't count [intel/sdm4 table 2-2]
    automatic_ibrs,  ///< the same by EFER.AIBRSE [amd/apm2 3.1.7]
};

struct Mitigations {
    bool prediction_barrier = false;  ///< before another vCPU than the last runs on a CPU: Spectre v2 between guests
    bool clear_buffers = false;       ///< before each entry: MDS, TAA, stale data of MMIO
    bool flush_l1d = false;           ///< before each entry: L1TF
    OwnBranches own_branches = OwnBranches::plain;
    bool at_entries() const { return clear_buffers || flush_l1d; }
    friend bool operator==(const Mitigations&, const Mitigations&) = default;
};

constexpr OwnBranches choose_branches(const SpeculationFacts& facts, const cmdline::SpecCtrl& wanted) {
    constexpr u64 ibrs_all = 1u << 1;
    if (wanted.branches == cmdline::BranchThunk::retpoline) return OwnBranches::retpolines;
    if (wanted.ibrs && facts.automatic_ibrs) return OwnBranches::automatic_ibrs;
    if (wanted.ibrs && facts.speculation_control && (facts.arch_capabilities & ibrs_all) != 0) return OwnBranches::enhanced_ibrs;
    return wanted.branches == cmdline::BranchThunk::jump ? OwnBranches::plain : OwnBranches::retpolines;
}

/// What the processor needs, has, and the command line doesn't forbid.
constexpr Mitigations choose_mitigations(const SpeculationFacts& facts, const cmdline::SpecCtrl& wanted) {
    constexpr u64 rdcl_no = 1u << 0, skip_l1d_flush = 1u << 3, mds_no = 1u << 5, fb_clear = 1u << 17;
    const auto says = [&](u64 bits) { return (facts.arch_capabilities & bits) != 0; };
    return {.prediction_barrier = wanted.ibpb && facts.prediction_barrier,
            .clear_buffers = wanted.verw && facts.intel && facts.verw_clears && (!says(mds_no) || says(fb_clear)),
            .flush_l1d = wanted.l1d_flush && facts.intel && facts.l1d_flush && !says(rdcl_no | skip_l1d_flush),
            .own_branches = choose_branches(facts, wanted)};
}

namespace detail {
extern constinit Mitigations chosen_mitigations;
}
/// Of this machine: chosen by the boot CPU before others start, while our text may still be written.
inline const Mitigations& mitigations() { return detail::chosen_mitigations; }
void init_mitigations(const cmdline::SpecCtrl& wanted);
/// What each CPU needs to be told once.
void enable_mitigations();

/// This CPU is to run this vCPU's guest, a number that no other has: nothing that another guest trained steers it.
void before_guest(u64 vcpu);
/// Right before an entry of a guest. Interrupts off.
void clear_before_entry();

}  // namespace px::arch
