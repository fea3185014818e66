// MSRs of a guest that exit.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/exits.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

namespace msr = arch::msr;

constexpr u32 hypercall_page_msr = 0x40000000;
constexpr u32 mtrr_variable_first = 0x200, mtrr_variable_last = 0x20f, mtrr_fixed_first = 0x250, mtrr_fixed_last = 0x26f;
constexpr u64 mtrr_capabilities = 0x508;  ///< 8 variable ranges, fixed ranges, write combining

bool valid_memory_types(u64 pat) {
    for (unsigned i = 0; i < 8; ++i) {
        const u64 type = pat >> (i * 8) & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

Result<> write_efer(Vcpu& vcpu, u64 value) {
    const u64 allowed = valid_efer(vcpu.domain.arch.policy);
    const u64 current = current_control(vcpu).efer;
    REQUIRE((value & ~(allowed | arch::efer::lma)) == 0, efault);
    const bool paging = (vcpu.arch.control.cr0 & arch::cr0::pg) != 0;
    REQUIRE(!paging || ((value ^ current) & arch::efer::lme) == 0, efault);
    backend()->synchronise(vcpu);
    vcpu.arch.control.efer = (value & ~arch::efer::lma) | (current & arch::efer::lma);
    backend()->control_changed(vcpu);
    return {};
}

/// The guest asks for the code by which it makes hypercalls to be written to a page of its own.
Result<> write_hypercall_page_msr(Vcpu& vcpu, u64 value) {
    REQUIRE((value & (page_size - 1)) == 0, efault);
    FrameRef frame = TRY(vcpu.domain.physmap.get_frame(to_gfn(Gpaddr{value}), true));
    write_hypercall_page(frame.data());
    return {};
}

}  // namespace

Result<u64> read_msr(Vcpu& vcpu, u32 index) {
    const VcpuState& state = vcpu.arch;
    if (index >= 0x800 && index < 0x900) return state.apic.read_msr(index);
    if (index >= mtrr_variable_first && index <= mtrr_variable_last) return state.mtrr.variable[index - mtrr_variable_first];
    if (index >= mtrr_fixed_first && index <= mtrr_fixed_last) {
        const auto slot = MtrrState::fixed_slot(index);
        REQUIRE(slot.has_value(), efault);
        return state.mtrr.fixed[*slot];
    }
    switch (index) {
    case msr::tsc: return arch::read_tsc() + state.tsc_offset;
    case msr::apic_base: return state.apic.base();
    case msr::tsc_deadline: return state.apic.tsc_deadline();
    case msr::efer: return current_control(vcpu).efer;
    case msr::pat: return state.pat;
    case msr::tsc_aux: return state.tsc_aux;
    case msr::mtrr_cap: return mtrr_capabilities;
    case msr::mtrr_def_type: return state.mtrr.default_type;
    case msr::xss: REQUIRE(has_xsaves(vcpu.domain.arch.policy), efault); return u64{0};
    default: return policy_msr(vcpu, index);
    }
}

Result<> write_msr(Vcpu& vcpu, u32 index, u64 value) {
    VcpuState& state = vcpu.arch;
    if (index >= 0x800 && index < 0x900) return state.apic.write_msr(index, value);
    if (index >= mtrr_variable_first && index <= mtrr_variable_last) {
        state.mtrr.variable[index - mtrr_variable_first] = value;
        return {};
    }
    if (index >= mtrr_fixed_first && index <= mtrr_fixed_last) {
        const auto slot = MtrrState::fixed_slot(index);
        REQUIRE(slot.has_value() && valid_memory_types(value), efault);
        state.mtrr.fixed[*slot] = value;
        return {};
    }
    switch (index) {
    case msr::tsc:
        state.tsc_offset = value - arch::read_tsc();
        backend()->synchronise(vcpu);
        backend()->control_changed(vcpu);
        return {};
    case msr::apic_base: return state.apic.set_base(value);
    case msr::tsc_deadline: state.apic.set_tsc_deadline(value); return {};
    case msr::efer: return write_efer(vcpu, value);
    case msr::pat:
        REQUIRE(valid_memory_types(value), efault);
        backend()->synchronise(vcpu);
        state.pat = value;
        backend()->control_changed(vcpu);
        return {};
    case msr::tsc_aux:
        REQUIRE(value >> 32 == 0, efault);
        state.tsc_aux = value;
        (void)arch::write_msr_safe(msr::tsc_aux, value).ok();
        return {};
    case msr::xss: REQUIRE(has_xsaves(vcpu.domain.arch.policy) && value == 0, efault); return {};
    case msr::mtrr_def_type: state.mtrr.default_type = value & 0xcff; return {};
    case hypercall_page_msr: return write_hypercall_page_msr(vcpu, value);
    default: return set_policy_msr(vcpu, index, value);
    }
}

}  // namespace px::hvm
