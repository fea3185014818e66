// A domain's vCPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/control/vcpus.hpp"

#include "toolstack/control/request.hpp"

namespace px::control {

using call::HypercallBuffer;
using call::Outcome;

namespace {

std::string sentence(const char* what, Domain domain, u32 vcpu) {
    return std::string(what) + " vCPU " + std::to_string(vcpu) + " of domain " + std::to_string(domain.id().raw);
}

abi::Bitmap bitmap(const HypercallBuffer& memory, usize bits) { return {memory.handle<u8>(), static_cast<u32>(bits)}; }

CpuSet to_set(const HypercallBuffer& memory, usize bits) {
    CpuSet set(bits);
    for (usize bit = 0; bit < bits; ++bit) set[bit] = memory.as<u8>()[bit / 8] >> (bit % 8) & 1;
    return set;
}

Outcome<HypercallBuffer> to_memory(call::Privcmd& privcmd, const CpuSet& set) {
    auto memory = TRY(privcmd.buffer(set.size() / 8 + 1));
    for (usize bit = 0; bit < set.size(); ++bit) {
        if (set[bit]) memory.as<u8>()[bit / 8] |= static_cast<u8>(1u << bit % 8);
    }
    return memory;
}

}  // namespace

Outcome<abi::DomctlGetvcpuinfo> vcpu_info(Domain domain, u32 vcpu) {
    abi::Domctl request = domctl_of(domain.id(), abi::DomctlCmd::getvcpuinfo);
    request.u.getvcpuinfo.vcpu = vcpu;
    TRY(domain.privcmd().domctl(request, sentence("can't look at", domain, vcpu)));
    return request.u.getvcpuinfo;
}

Outcome<VcpuAffinity> vcpu_affinity(Domain domain, u32 vcpu, usize cpus) {
    auto hard = TRY(domain.privcmd().buffer(cpus / 8 + 1)), soft = TRY(domain.privcmd().buffer(cpus / 8 + 1));
    abi::Domctl request = domctl_of(domain.id(), abi::DomctlCmd::getvcpuaffinity);
    request.u.vcpuaffinity = {vcpu, abi::vcpuaffinity::hard | abi::vcpuaffinity::soft, bitmap(hard, cpus), bitmap(soft, cpus)};
    TRY(domain.privcmd().domctl(request, sentence("can't read the affinity of", domain, vcpu)));
    return VcpuAffinity{to_set(hard, cpus), to_set(soft, cpus)};
}

Outcome<> set_vcpu_affinity(Domain domain, u32 vcpu, const std::optional<CpuSet>& hard, const std::optional<CpuSet>& soft, bool force) {
    abi::Domctl request = domctl_of(domain.id(), abi::DomctlCmd::setvcpuaffinity);
    auto& body = request.u.vcpuaffinity;
    auto hard_bits = TRY(to_memory(domain.privcmd(), hard.value_or(CpuSet{})));
    auto soft_bits = TRY(to_memory(domain.privcmd(), soft.value_or(CpuSet{})));
    body.vcpu = vcpu;
    if (force) body.flags |= abi::vcpuaffinity::force;
    if (hard) body.flags |= abi::vcpuaffinity::hard, body.cpumap_hard = bitmap(hard_bits, hard->size());
    if (soft) body.flags |= abi::vcpuaffinity::soft, body.cpumap_soft = bitmap(soft_bits, soft->size());
    return domain.privcmd().domctl(request, sentence("can't pin", domain, vcpu));
}

}  // namespace px::control
