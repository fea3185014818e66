// VT-x control settings, negotiated.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/vmx/capabilities.hpp"

#include "arch/x86/machine/apic_registers.hpp"

namespace px::vmx {
namespace {

using Why = Err<std::string_view>;

constexpr u32 pin_required = pin::external_interrupt | pin::nmi | pin::virtual_nmis;
constexpr u32 primary_required = primary::tsc_offsetting | primary::hlt | primary::mwait | primary::rdpmc | primary::mov_dr |
                                 primary::io_bitmaps | primary::msr_bitmaps | primary::monitor | primary::secondary;
constexpr u32 secondary_wanted = secondary::vpid | secondary::rdtscp | secondary::invpcid | secondary::pause_loop | secondary::xsaves;
constexpr u32 exit_required = exit_control::save_debug | exit_control::host_64_bit | exit_control::acknowledge_interrupt |
                              exit_control::save_pat | exit_control::load_pat | exit_control::save_efer | exit_control::load_efer;
constexpr u32 entry_required = entry_control::load_debug | entry_control::load_pat | entry_control::load_efer;

/// Exits of these would be wrong: a CPU that insists on them is of the first generation and has no EPT either.
constexpr u32 primary_unwanted = primary::cr3_load | primary::cr3_store | primary::invlpg;

/// IA32_VMX_EPT_VPID_CAP.
namespace cap {
constexpr u64 walk_4 = u64{1} << 6, write_back = u64{1} << 14, page_2m = u64{1} << 16, page_1g = u64{1} << 17, invept = u64{1} << 20,
              accessed_dirty = u64{1} << 21, invept_single = u64{1} << 25, invept_all = u64{1} << 26, invvpid = u64{1} << 32,
              invvpid_single = u64{1} << 41, invvpid_all = u64{1} << 42;
}
constexpr u64 stores_long_mode = u64{1} << 5;  ///< IA32_VMX_MISC: exits store EFER.LMA in the entry controls

FlushAbilities flush_abilities(u64 ept_vpid) {
    const auto has = [ept_vpid](u64 bits) { return (ept_vpid & bits) == bits; };
    return {.ept_single = has(cap::invept | cap::invept_single),
            .ept_all = has(cap::invept | cap::invept_all),
            .vpid_single = has(cap::invvpid | cap::invvpid_single),
            .vpid_all = has(cap::invvpid | cap::invvpid_all)};
}

Abilities abilities_of(const CapabilityMsrs& msrs, u64 pin_msr, u64 primary_msr) {
    const auto may = [](u64 msr, u32 bit) { return (msr >> 32 & bit) != 0; };
    Abilities found;
    found.flush = flush_abilities(msrs.ept_vpid);
    // A VPID whose translations can't be flushed is of no use.
    found.vpid = may(msrs.secondary, secondary::vpid) && (found.flush.vpid_single || found.flush.vpid_all);
    found.ept_2m = (msrs.ept_vpid & cap::page_2m) != 0;
    found.ept_1g = (msrs.ept_vpid & cap::page_1g) != 0;
    found.ept_accessed_dirty = (msrs.ept_vpid & cap::accessed_dirty) != 0;
    found.tpr_shadow = may(primary_msr, primary::tpr_shadow);
    found.apic_access = may(msrs.secondary, secondary::apic_accesses);
    found.x2apic = may(msrs.secondary, secondary::x2apic);
    found.apic_registers = may(msrs.secondary, secondary::apic_registers);
    found.virtual_interrupts = may(msrs.secondary, secondary::virtual_interrupts);
    found.posted_interrupts = may(pin_msr, pin::posted_interrupts);
    found.pause_loop = may(msrs.secondary, secondary::pause_loop);
    found.preemption_timer = may(pin_msr, pin::preemption_timer);
    found.tsc_scaling = may(msrs.secondary, secondary::tsc_scaling);
    found.xsaves = may(msrs.secondary, secondary::xsaves);
    found.invpcid = may(msrs.secondary, secondary::invpcid);
    return found;
}

Result<void, std::string_view> check_second_level(const CapabilityMsrs& msrs) {
    const u32 may = static_cast<u32>(msrs.secondary >> 32);
    if ((may & secondary::ept) == 0) return Why{"without extended page tables (EPT)"};
    if ((may & secondary::unrestricted_guest) == 0) return Why{"without unrestricted guest"};
    if ((msrs.ept_vpid & cap::walk_4) == 0 || (msrs.ept_vpid & cap::write_back) == 0) return Why{"with an EPT of unknown shape"};
    const FlushAbilities flush = flush_abilities(msrs.ept_vpid);
    if (!flush.ept_single && !flush.ept_all) return Why{"without INVEPT"};
    if ((msrs.misc & stores_long_mode) == 0) return Why{"that doesn't store EFER.LMA at exits"};
    return {};
}

}  // namespace

Result<Setup, std::string_view> choose_setup(const CapabilityMsrs& msrs) {
    const bool exact = msrs.has_true_controls();
    const u64 pin_msr = exact ? msrs.true_pin : msrs.pin, primary_msr = exact ? msrs.true_primary : msrs.primary;
    const u64 exit_msr = exact ? msrs.true_exit : msrs.exit, entry_msr = exact ? msrs.true_entry : msrs.entry;
    TRY(check_second_level(msrs));
    const Abilities abilities = abilities_of(msrs, pin_msr, primary_msr);
    // Without a TPR shadow CR8 exits.
    const u32 task_priority = abilities.tpr_shadow ? primary::tpr_shadow : primary::cr8_load | primary::cr8_store;
    const Negotiated pins = negotiate(pin_msr, pin_required, 0);
    const Negotiated first = negotiate(primary_msr, primary_required | task_priority, 0);
    const u32 wanted = abilities.vpid ? secondary_wanted : secondary_wanted & ~secondary::vpid;
    const Negotiated second = negotiate(msrs.secondary, secondary::ept | secondary::unrestricted_guest, wanted);
    const Negotiated exits = negotiate(exit_msr, exit_required, 0);
    const Negotiated entries = negotiate(entry_msr, entry_required, 0);
    if (pins.missing != 0) return Why{"without virtual NMIs"};
    if (first.missing != 0) return Why{"without I/O or MSR bitmaps"};
    if (exits.missing != 0 || entries.missing != 0) return Why{"that doesn't switch PAT and EFER"};
    if ((first.value & primary_unwanted) != 0) return Why{"that insists on exits of CR3 accesses"};
    return Setup{msrs.revision(),
                 {pins.value, first.value, second.value, exits.value, entries.value},
                 static_cast<u32>(msrs.secondary >> 32),
                 abilities};
}

u32 apic_controls(const Abilities& abilities, ApicMode mode) {
    if (!abilities.tpr_shadow) return 0;
    if (mode == ApicMode::x2apic ? !abilities.x2apic : !abilities.apic_access) return 0;
    if (mode == ApicMode::off) return secondary::apic_accesses;  // so that the page isn't there
    const bool delivers = abilities.apic_registers && abilities.virtual_interrupts;
    return (mode == ApicMode::x2apic ? secondary::x2apic : secondary::apic_accesses) |
           (delivers ? secondary::apic_registers | secondary::virtual_interrupts : 0);
}

u32 posting_controls(const Abilities& abilities, u32 apic_controls) {
    return abilities.posted_interrupts && (apic_controls & secondary::virtual_interrupts) != 0 ? pin::posted_interrupts : 0;
}

bool reads_x2_register(u32 controls, u32 offset) {
    if ((controls & secondary::x2apic) == 0) return false;
    if ((controls & secondary::apic_registers) == 0) return offset == arch::apic::task_priority;
    return arch::apic::x2_readable(offset) && offset != arch::apic::timer_current;
}

bool writes_x2_register(u32 controls, u32 offset) {
    if ((controls & secondary::x2apic) == 0) return false;
    const bool delivers = (controls & secondary::virtual_interrupts) != 0;
    return offset == arch::apic::task_priority || (delivers && (offset == arch::apic::eoi || offset == arch::apic::self_ipi));
}

}  // namespace px::vmx
