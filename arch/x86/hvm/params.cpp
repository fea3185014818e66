// Parameters of an HVM-style domain: the rules.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/params.hpp"

namespace px::hvm {
namespace {

using abi::HvmParam;

/// Whose a parameter is: of nobody outside of the hypervisor, the toolstack's, or the domain's own as well.
enum class Owner : u8 { hypervisor, toolstack, guest };

struct Rule {
    Owner reader = Owner::hypervisor, writer = Owner::hypervisor;
    bool once = false;  ///< a value other than 0 stays
};

constexpr auto rules = [] {
    std::array<Rule, abi::hvm_nr_params> table{};
    const auto set = [&](HvmParam param, Rule rule) { table[static_cast<usize>(param)] = rule; };
    constexpr Rule guests{Owner::guest, Owner::guest}, tools{Owner::toolstack, Owner::toolstack};
    constexpr Rule shown{Owner::guest, Owner::toolstack}, tools_once{Owner::toolstack, Owner::toolstack, true};
    for (const HvmParam param : {HvmParam::callback_irq, HvmParam::store_evtchn, HvmParam::console_evtchn, HvmParam::acpi_s_state,
                                 HvmParam::vm86_tss, HvmParam::vm86_tss_sized, HvmParam::vm_generation_id_addr, HvmParam::x87_fip_width}) {
        set(param, guests);
    }
    for (const HvmParam param : {HvmParam::store_pfn, HvmParam::console_pfn, HvmParam::acpi_ioports_location}) set(param, shown);
    set(HvmParam::altp2m, {Owner::guest, Owner::toolstack, true});
    for (const HvmParam param :
         {HvmParam::pae_enabled, HvmParam::ioreq_pfn, HvmParam::bufioreq_pfn, HvmParam::timer_mode, HvmParam::hpet_enabled,
          HvmParam::ident_pt, HvmParam::dm_domain, HvmParam::vpt_align, HvmParam::nestedhvm, HvmParam::bufioreq_evtchn,
          HvmParam::paging_ring_pfn, HvmParam::monitor_ring_pfn, HvmParam::sharing_ring_pfn, HvmParam::triple_fault_reason}) {
        set(param, tools);
    }
    for (const HvmParam param : {HvmParam::viridian, HvmParam::ioreq_server_pfn, HvmParam::nr_ioreq_server_pages, HvmParam::mca_cap}) {
        set(param, tools_once);
    }
    return table;
}();

Result<const Rule*> rule_of(u32 index) {
    REQUIRE(index < rules.size(), einval);
    return &rules[index];
}

Result<> may(Owner owner, bool own) {
    REQUIRE(owner != Owner::hypervisor, einval);
    REQUIRE(owner == Owner::guest || !own, eperm);
    return {};
}

}  // namespace

Result<> may_read_param(u32 index, bool own) { return may(TRY(rule_of(index))->reader, own); }

Result<> may_write_param(u32 index, bool own, u64 current, u64 value) {
    const Rule& rule = *TRY(rule_of(index));
    TRY(may(rule.writer, own));
    REQUIRE(!rule.once || current == 0 || current == value, eexist);
    return {};
}

Result<> check_param_value(u32 index, u64 value) {
    switch (HvmParam{index}) {
    case HvmParam::timer_mode: REQUIRE(value <= static_cast<u64>(abi::HvmTimerMode::one_missed_tick_pending), einval); break;
    // Enlightenments, nested virtualization, alternate physmaps, sleep states: none exists.
    case HvmParam::viridian: REQUIRE(value == 0, einval); break;
    case HvmParam::nestedhvm: REQUIRE(value == 0, einval); break;
    case HvmParam::altp2m: REQUIRE(value == 0, einval); break;
    case HvmParam::acpi_s_state: REQUIRE(value == 0, einval); break;
    case HvmParam::dm_domain: REQUIRE(value == abi::domid::self, einval); break;
    case HvmParam::acpi_ioports_location: REQUIRE(value <= 1, einval); break;
    case HvmParam::bufioreq_evtchn: return Err{Errno::einval};
    case HvmParam::nr_ioreq_server_pages: REQUIRE(value >= 1 && value <= 64, einval); break;
    case HvmParam::triple_fault_reason: REQUIRE(value <= 5, einval); break;
    case HvmParam::vm86_tss: REQUIRE(value >> 32 == 0, einval); break;
    case HvmParam::vm86_tss_sized: REQUIRE(value >> 32 >= 0x68, einval); break;  // the smallest TSS
    case HvmParam::x87_fip_width: REQUIRE(value == 0 || value == 4 || value == 8, einval); break;
    case HvmParam::mca_cap: REQUIRE((value & ~abi::hvm_mca_cap_mask) == 0, einval); break;
    default: break;
    }
    return {};
}

Callback decode_callback(u64 value) {
    const u32 number = static_cast<u32>(value);
    switch (abi::HvmCallbackType{static_cast<u8>(value >> 56)}) {
    case abi::HvmCallbackType::gsi: return value == 0 ? Callback{} : Callback{Callback::Via::gsi, number};
    case abi::HvmCallbackType::pci_intx: return {Callback::Via::pci_intx, number};
    case abi::HvmCallbackType::vector: return {Callback::Via::vector, number & 0xff};
    }
    return {};
}

}  // namespace px::hvm
