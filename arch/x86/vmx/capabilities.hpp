// What this CPU's VT-x can do and what we ask of it: pure rules over the capability MSRs. [intel/sdm3 appendix A]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "arch/x86/vmx/vmcs.hpp"
#include "hypervisor/base/result.hpp"

namespace px::vmx {

/// IA32_VMX_BASIC and its followers. 0 where a CPU lacks the MSR.
struct CapabilityMsrs {
    static constexpr u32 first_index = 0x480;
    u64 basic, pin, primary, exit, entry, misc, cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1, vmcs_enum, secondary, ept_vpid, true_pin,
        true_primary, true_exit, true_entry;

    /// Reads those that exist; `read_msr(index)` may not fail for them.
    template <class ReadMsr>
    static CapabilityMsrs read(ReadMsr read_msr) {
        CapabilityMsrs msrs{};
        u64* const values = &msrs.basic;
        for (u32 i = 0; i < 11; ++i) values[i] = read_msr(first_index + i);
        constexpr u64 second_set = u64{primary::secondary} << 32, ept_or_vpid = u64{secondary::ept | secondary::vpid} << 32;
        if ((msrs.primary & second_set) != 0) msrs.secondary = read_msr(first_index + 11);
        if ((msrs.secondary & ept_or_vpid) != 0) msrs.ept_vpid = read_msr(first_index + 12);
        if (msrs.has_true_controls()) {
            for (u32 i = 13; i < 17; ++i) values[i] = read_msr(first_index + i);
        }
        return msrs;
    }
    constexpr bool has_true_controls() const { return (basic >> 55 & 1) != 0; }
    constexpr u32 revision() const { return static_cast<u32>(basic) & 0x7fffffff; }
};

/// The values of the control fields that every vCPU begins with.
struct Controls {
    u32 pin, primary, secondary, exit, entry;
    friend bool operator==(const Controls&, const Controls&) = default;
};

/// How a control field's value follows from its MSR: the low half must be set, the high half may be.
struct Negotiated {
    u32 value;
    u32 missing;  ///< required, and not to be had
};
constexpr Negotiated negotiate(u64 msr, u32 required, u32 wanted) {
    const u32 must = static_cast<u32>(msr), may = static_cast<u32>(msr >> 32);
    return {((required | wanted) & may) | must, required & ~may};
}

/// What an owed flush of translations may use [intel/sdm3 A.10].
struct FlushAbilities {
    bool ept_single = false, ept_all = false;
    bool vpid_single = false, vpid_all = false;
    friend bool operator==(const FlushAbilities&, const FlushAbilities&) = default;
};

/// What is there, beyond what is required.
struct Abilities {
    bool vpid = false;
    bool ept_2m = false, ept_1g = false, ept_accessed_dirty = false;
    bool tpr_shadow = false;
    bool apic_access = false, x2apic = false, apic_registers = false, virtual_interrupts = false, posted_interrupts = false;
    bool pause_loop = false, preemption_timer = false, tsc_scaling = false, xsaves = false, invpcid = false;
    FlushAbilities flush{};
    friend bool operator==(const Abilities&, const Abilities&) = default;
};

struct Setup {
    u32 revision = 0;  ///< how VMXON and VMCS regions begin
    Controls controls{};
    u32 optional_secondary = 0;  ///< which further bits may be set
    Abilities abilities{};
};

/// Chooses. Errors: a sentence that says what is missing; the CPU can't be used then.
Result<Setup, std::string_view> choose_setup(const CapabilityMsrs& msrs);

/// How a guest's local APIC is turned on.
enum class ApicMode : u8 { off, xapic, x2apic };
/// The secondary controls by which the processor does a part of a local APIC's work, or all of it: what it can do in this
/// mode, in combinations that an entry takes [intel/sdm3 27.2.1.1]. 0: each access exits, and we deliver.
u32 apic_controls(const Abilities& abilities, ApicMode mode);
/// The pin-based controls that go with those: posted interrupts, where the processor delivers [intel/sdm3 27.2.1.1].
u32 posting_controls(const Abilities& abilities, u32 apic_controls);
/// Whether RDMSR and WRMSR of an x2APIC register, by its xAPIC offset, are left to the processor under these controls.
/// [intel/sdm3 30.5]
bool reads_x2_register(u32 apic_controls, u32 offset);
bool writes_x2_register(u32 apic_controls, u32 offset);

/// IA32_FEATURE_CONTROL: may VMXON be executed outside of SMX? [intel/sdm3 24.7]
enum class FeatureControl : u8 { enabled, unlocked, locked_off };
inline constexpr u64 feature_control_lock = 1u << 0, feature_control_vmx = 1u << 2;
constexpr FeatureControl read_feature_control(u64 value) {
    if ((value & feature_control_lock) == 0) return FeatureControl::unlocked;
    return (value & feature_control_vmx) != 0 ? FeatureControl::enabled : FeatureControl::locked_off;
}

}  // namespace px::vmx
