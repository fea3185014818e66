// Control and debug registers of PV guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/control.hpp"

#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

namespace cr4 = arch::cr4;

/// What of CR4 is the guest's own.
u64 changeable(const Vcpu& vcpu) {
    const hvm::CpuPolicy& policy = vcpu.domain.arch.policy;
    u64 bits = cr4::tsd | cr4::de;
    if (policy.has(7, 0, &hvm::Leaf::ebx, 0)) bits |= cr4::fsgsbase;
    if (policy.has(1, 0, &hvm::Leaf::ecx, 26)) bits |= cr4::osxsave;
    return bits;
}

bool is_current(const Vcpu& vcpu) { return this_cpu().current == &vcpu; }

constexpr u64 enabled_breakpoints = 0xff, general_detect = 1u << 13;

/// Errors: einval, eperm.
Result<u64> checked_dr7(const Vcpu& vcpu, u64 value) {
    REQUIRE(value >> 32 == 0, einval);
    REQUIRE((value & general_detect) == 0, eperm);
    value = (value & 0xffff03ff) | dr7_fixed;
    for (unsigned i = 0; i < 4; ++i) {
        const bool io = (value >> (16 + 4 * i) & 3) == 2;
        REQUIRE(!io || (vcpu.arch.control.cr4 & cr4::de) != 0, eperm);
    }
    return value;
}

}  // namespace

u64 guest_cr4(const Vcpu& vcpu, u64 wanted) {
    const u64 own = changeable(vcpu);
    return (arch::host_cr4() & ~(own | cr4::smep | cr4::smap | cr4::umip | cr4::pge | cr4::vmxe)) | (wanted & own);
}

u64 real_cr4(const Vcpu& vcpu) {
    constexpr u64 bits = cr4::tsd | cr4::de;
    return arch::host_cr4() | (vcpu.arch.control.cr4 & bits);
}

void load_task_switched(bool on) {
    if (on) arch::write_cr<0>(arch::read_cr<0>() | arch::cr0::ts);
    else asm volatile("clts");
}

Result<> set_debug_register(Vcpu& vcpu, unsigned number, u64 value) {
    switch (number) {
    case 0:
    case 1:
    case 2:
    case 3:
        REQUIRE(is_canonical(value) && (is_guest_address(value) || value == 0), eperm);
        vcpu.arch.debug_address[number] = value;
        if (is_current(vcpu) && (vcpu.arch.dr7 & enabled_breakpoints) != 0) arch::write_debug_addresses(vcpu.arch.debug_address);
        return {};
    case 4:
    case 6:
        REQUIRE(value >> 32 == 0, einval);
        vcpu.arch.dr6 = (value & 0xe00f) | dr6_fixed;
        return {};
    case 5:
    case 7:
        vcpu.arch.dr7 = TRY(checked_dr7(vcpu, value));
        if (!is_current(vcpu)) return {};
        if ((vcpu.arch.dr7 & enabled_breakpoints) != 0) arch::write_debug_addresses(vcpu.arch.debug_address);
        arch::write_debug_control(vcpu.arch.dr7);
        return {};
    default: return Err{Errno::enodev};
    }
}

Result<u64> debug_register(const Vcpu& vcpu, unsigned number) {
    switch (number) {
    case 0:
    case 1:
    case 2:
    case 3: return vcpu.arch.debug_address[number];
    case 4:
    case 6: return vcpu.arch.dr6;
    case 5:
    case 7: return vcpu.arch.dr7;
    default: return Err{Errno::enodev};
    }
}

}  // namespace px::pv
