// Messages that stand for interrupts.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/message.hpp"

#include "drivers/ioapic.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

/// Calls visit(vcpu) for each vCPU that is meant until it returns false.
template <class Visitor>
void for_each_target(Domain& domain, u32 destination, bool logical, Visitor visit) {
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        Vcpu* const vcpu = domain.vcpu(VcpuId{i});
        if (vcpu != nullptr && vcpu->arch.apic.matches(destination, logical) && !visit(*vcpu)) return;
    }
}

}  // namespace

void deliver(Domain& domain, const Message& message) {
    const auto delivery = static_cast<ioapic::Delivery>(message.delivery());
    const bool lowest = delivery == ioapic::Delivery::lowest_priority;
    if (delivery != ioapic::Delivery::fixed && !lowest) return;
    for_each_target(domain, message.destination(), message.logical(), [&](Vcpu& vcpu) {
        if (!vcpu.arch.apic.enabled_by_software()) return true;
        vcpu.arch.apic.request(message.vector(), false);
        return !lowest;
    });
}

CpuId cpu_of_destination(Domain& domain, u32 destination, bool logical) {
    CpuId cpu{0};
    for_each_target(domain, destination, logical, [&](Vcpu& vcpu) {
        cpu = vcpu.unit.cpu();
        return false;
    });
    return cpu;
}

}  // namespace px::hvm
