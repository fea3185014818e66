// The build host as an architecture: its part of domctl and sysctl.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/domctl.hpp"

#include "hypervisor/domain/domain.hpp"

namespace px::arch {

Result<> configure(const abi::DomctlCreatedomain& request, px::DomainSettings& settings) {
    settings.arch = {request.arch.emulation_flags, request.arch.misc_flags};
    return {};
}
void describe(Domain& domain, abi::DomctlGetdomaininfo& info) {
    info.gpaddr_bits = 40;
    info.arch_config.emulation_flags = domain.settings.arch.emulation_flags;
}
u32 frame_info(Domain& domain, Gfn gfn) { return is_own_ram(domain.physmap.lookup(gfn).type) ? abi::pfinfo::notab : abi::pfinfo::xtab; }
Result<Reply> domctl(Vcpu&, Domain&, abi::Domctl&) { return Err{Errno::eopnotsupp}; }

void describe(abi::SysctlPhysinfo& info) {
    info.threads_per_core = info.cores_per_socket = 1;
    info.capabilities |= abi::physcap::hvm | abi::physcap::hap;
}
abi::SysctlCputopo topology(CpuId cpu) { return {cpu.raw, 0, 0}; }
Result<Reply> sysctl(Vcpu&, abi::Sysctl&) { return Err{Errno::enosys}; }

}  // namespace px::arch
