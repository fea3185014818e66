// x86's part of the generic hypercalls.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/hypercalls.hpp"

#include "arch/x86/hvm/initial_context.hpp"
#include "hypervisor/abi/features.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::arch {

const u64 hypervisor_virtual_start = 0xffff'8000'0000'0000;

std::string_view capabilities() { return "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "; }

u32 features(const Domain&) {
    const auto bit = [](abi::Feature feature) { return 1u << static_cast<u32>(feature); };
    return bit(abi::Feature::hvm_callback_vector) | bit(abi::Feature::hvm_safe_pvclock);
}

Result<> initialise_vcpu(Vcpu& vcpu, u64 argument) {
    const auto context = TRY(guest_ptr<abi::x86::VcpuHvmContext>(argument).read());
    const hvm::CpuPolicy& policy = vcpu.domain.arch.policy;
    hvm::apply(vcpu, TRY(hvm::check_initial_context(context, hvm::valid_efer(policy), hvm::valid_cr4(policy))));
    return {};
}

bool is_initialised(const Vcpu& vcpu) { return !vcpu.arch.waits_for_startup; }

void send_nmi(Vcpu& vcpu) {
    vcpu.arch.nmi_pending = true;
    vcpu.kick();
}

}  // namespace px::arch
