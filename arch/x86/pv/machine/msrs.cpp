// MSRs of PV guests: each access traps.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/privileged.hpp"

namespace px::pv {
namespace {

namespace msr = arch::msr;

constexpr u64 apic_enabled = 1u << 11, apic_of_boot_cpu = 1u << 8;

/// A base that the guest may change by hypercall or instruction too, so it lies in the processor's own register.
Result<> write_base(u32 index, u64 value) {
    REQUIRE(is_canonical(value), efault);
    arch::write_msr(index, value);
    return {};
}

}  // namespace

Result<u64> read_msr(Vcpu& vcpu, u32 index) {
    switch (index) {
    case msr::fs_base:
    case msr::gs_base:
    case msr::kernel_gs_base: return arch::read_msr(index);
    case msr::tsc: return arch::read_tsc();
    case msr::efer: return (arch::read_msr(index) & hvm::valid_efer(vcpu.domain.arch.policy)) | arch::efer::lma;
    case msr::pat: return arch::read_msr(index);
    case msr::apic_base: return apic_enabled | (vcpu.id.raw == 0 ? apic_of_boot_cpu : 0);
    case msr::tsc_aux: return vcpu.arch.tsc_aux;
    default: return hvm::policy_msr(vcpu, index);
    }
}

Result<> write_msr(Vcpu& vcpu, u32 index, u64 value) {
    switch (index) {
    case msr::fs_base:
    case msr::gs_base:
    case msr::kernel_gs_base: return write_base(index, value);
    case msr::tsc_aux:
        REQUIRE(value >> 32 == 0, efault);
        vcpu.arch.tsc_aux = value;
        return arch::write_msr_safe(index, value);
    // What is the hypervisor's already may be written as it is.
    case msr::efer:
    case msr::pat:
    case msr::apic_base: REQUIRE(TRY(read_msr(vcpu, index)) == value, efault); return {};
    default: return hvm::set_policy_msr(vcpu, index, value);
    }
}

}  // namespace px::pv
