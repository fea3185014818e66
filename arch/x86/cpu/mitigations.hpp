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
    u64 arch_capabilities = 0;        ///< 0 where there is no such MSR

    /// `cpuid(leaf)` with sub-leaf 0, `read_msr(index)` of MSRs that exist.
    template <class Cpuid, class ReadMsr>
    static SpeculationFacts read(Cpuid cpuid, ReadMsr read_msr) {
        constexpr u32 genuine_intel = 0x756e6547;  // "Genu"
        const auto zero = cpuid(0);
        const u32 seven = zero.eax >= 7 ? cpuid(7).edx : 0;
        const u32 eight = cpuid(0x80000000).eax >= 0x80000008 ? cpuid(0x80000008).ebx : 0;
        const auto bit = [](u32 value, unsigned number) { return (value >> number & 1) != 0; };
        return {.prediction_barrier = bit(seven, 26) || bit(eight, 12), .verw_clears = bit(seven, 10), .l1d_flush = bit(seven, 28),
                .intel = zero.ebx == genuine_intel, .arch_capabilities = bit(seven, 29) ? read_msr(msr::arch_capabilities) : 0};
    }
};

struct Mitigations {
    bool prediction_barrier = false;  ///< before another vCPU than the last runs on a CPU: Spectre v2 between guests
    bool clear_buffers = false;       ///< before each entry: MDS, TAA, stale data of MMIO
    bool flush_l1d = false;           ///< before each entry: L1TF
    bool at_entries() const { return clear_buffers || flush_l1d; }
    friend bool operator==(const Mitigations&, const Mitigations&) = default;
};

/// What the processor needs, has, and the command line doesn't forbid.
constexpr Mitigations choose_mitigations(const SpeculationFacts& facts, const cmdline::SpecCtrl& wanted) {
    constexpr u64 rdcl_no = 1u << 0, skip_l1d_flush = 1u << 3, mds_no = 1u << 5, fb_clear = 1u << 17;
    const auto says = [&](u64 bits) { return (facts.arch_capabilities & bits) != 0; };
    return {.prediction_barrier = wanted.ibpb && facts.prediction_barrier,
            .clear_buffers = wanted.verw && facts.intel && facts.verw_clears && (!says(mds_no) || says(fb_clear)),
            .flush_l1d = wanted.l1d_flush && facts.intel && facts.l1d_flush && !says(rdcl_no | skip_l1d_flush)};
}

namespace detail {
extern constinit Mitigations chosen_mitigations;
}
/// Of this machine: chosen by the boot CPU before others start.
inline const Mitigations& mitigations() { return detail::chosen_mitigations; }
void init_mitigations(const cmdline::SpecCtrl& wanted);

/// This CPU is to run this vCPU's guest, a number that no other has: nothing that another guest trained steers it.
void before_guest(u64 vcpu);
/// Right before an entry of a guest. Interrupts off.
void clear_before_entry();

}  // namespace px::arch
