// HYPERVISOR_domctl: vCPUs and their scheduling. [xen/public domctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/time.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/domctl.hpp"
#include "hypervisor/hypercall/guest_bitmap.hpp"

namespace px::domctl {
namespace {

CpuMask online() { return CpuMask::first_n(online_cpus()); }

Result<> check_affinity(const abi::DomctlVcpuaffinity& request) {
    using namespace abi::vcpuaffinity;
    REQUIRE((request.flags & (hard | soft)) != 0 && (request.flags & ~(hard | soft | force)) == 0, einval);
    REQUIRE((request.flags & hard) == 0 || !request.cpumap_hard.bitmap.is_null(), einval);
    REQUIRE((request.flags & soft) == 0 || !request.cpumap_soft.bitmap.is_null(), einval);
    return {};
}

}  // namespace

Result<Reply> max_vcpus(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain && op.u.max_vcpus.max == domain.settings.max_vcpus, einval);
    for (u32 i = 0; i < op.u.max_vcpus.max; ++i) {
        if (domain.vcpu(VcpuId{i}) == nullptr) TRY(domain.create_vcpu(VcpuId{i}));
    }
    return Reply{};
}

Result<Reply> get_vcpu_info(Vcpu&, Domain& domain, abi::Domctl& op) {
    auto& info = op.u.getvcpuinfo;
    Vcpu& vcpu = *TRY(find_vcpu(domain, info.vcpu));
    info.online = vcpu.is_halted(Vcpu::down) ? 0 : 1;
    info.blocked = vcpu.is_halted(Vcpu::blocked) || vcpu.is_halted(Vcpu::polling) ? 1 : 0;
    info.running = vcpu.unit.on_cpu() ? 1 : 0;
    info.cpu_time = vcpu.runstate.snapshot(arch::now()).time[static_cast<usize>(abi::Runstate::running)];
    info.cpu = vcpu.processor();
    return Reply{};
}

Result<Reply> set_vcpu_affinity(Vcpu&, Domain& domain, abi::Domctl& op) {
    using namespace abi::vcpuaffinity;
    auto& request = op.u.vcpuaffinity;
    Vcpu& vcpu = *TRY(find_vcpu(domain, request.vcpu));
    TRY(check_affinity(request));
    if ((request.flags & hard) != 0) {
        TRY(vcpu.affinity.set_hard(TRY(read_cpu_mask(request.cpumap_hard)), (request.flags & force) != 0));
        domain.node_affinity.follow_vcpus();
        TRY(write_cpu_mask(request.cpumap_hard, vcpu.affinity.hard() & online()));
    }
    if ((request.flags & soft) != 0) {
        TRY(vcpu.affinity.set_soft(TRY(read_cpu_mask(request.cpumap_soft))));
        domain.node_affinity.follow_vcpus();
        TRY(write_cpu_mask(request.cpumap_soft, vcpu.affinity.soft() & vcpu.affinity.hard() & online()));
    }
    return Reply{};
}

Result<Reply> get_vcpu_affinity(Vcpu&, Domain& domain, abi::Domctl& op) {
    using namespace abi::vcpuaffinity;
    const auto& request = op.u.vcpuaffinity;
    Vcpu& vcpu = *TRY(find_vcpu(domain, request.vcpu));
    TRY(check_affinity(request));
    if ((request.flags & hard) != 0) TRY(write_cpu_mask(request.cpumap_hard, vcpu.affinity.hard() & online()));
    if ((request.flags & soft) != 0) TRY(write_cpu_mask(request.cpumap_soft, vcpu.affinity.soft() & online()));
    return Reply{};
}

Result<Reply> scheduler_op(Vcpu&, Domain& domain, abi::Domctl& op) {
    auto& request = op.u.scheduler_op;
    REQUIRE(request.sched_id == scheduler().abi_id(), einval);
    sched::Parameters parameters = domain.group.parameters();
    switch (abi::DomctlSchedOpCmd{request.cmd}) {
    case abi::DomctlSchedOpCmd::getinfo: request.u.credit2 = {parameters.weight, parameters.cap}; return Reply{};
    case abi::DomctlSchedOpCmd::putinfo:
        if (request.u.credit2.weight != 0) parameters.weight = request.u.credit2.weight;
        parameters.cap = request.u.credit2.cap;
        TRY(scheduler().set_parameters(domain.group, parameters));
        return Reply{};
    default: return Err{Errno::einval};  // parameters of single vCPUs: other schedulers have such
    }
}

}  // namespace px::domctl
