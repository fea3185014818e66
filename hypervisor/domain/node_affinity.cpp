// Which NUMA nodes a domain's memory is to come from.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/node_affinity.hpp"

#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {

NodeMask NodeAffinity::nodes() {
    auto state = state_.lock();
    return state->nodes.empty() ? px::nodes().all() : state->nodes;
}

Result<> NodeAffinity::set(const NodeMask& nodes) {
    const NodeMask all = px::nodes().all(), present = nodes & all;
    REQUIRE(!present.empty(), einval);
    const NodeMask chosen = present == all ? of_vcpus() : present;
    auto state = state_.lock();
    state->follows = present == all;
    use(*state, chosen);
    return {};
}

void NodeAffinity::follow_vcpus() {
    if (px::nodes().count() == 1) return;
    const NodeMask wanted = of_vcpus();
    auto state = state_.lock();
    if (state->follows) use(*state, wanted);
}

/// Where they would rather run; of one whose wishes can't be met, where it may.
NodeMask NodeAffinity::of_vcpus() const {
    const CpuMask online = CpuMask::first_n(online_cpus());
    CpuMask cpus;
    for (u32 id = 0; id < domain_.settings.max_vcpus; ++id) {
        Vcpu* const vcpu = domain_.vcpu(VcpuId{id});
        if (vcpu == nullptr) continue;
        const CpuMask hard = vcpu->affinity.hard() & online, liked = vcpu->affinity.soft() & hard;
        cpus = cpus | (liked.empty() ? hard : liked);
    }
    NodeMask result;
    for (const CpuId cpu : cpus) result.set(per_cpu(cpu)->node);
    return result.empty() ? px::nodes().all() : result;
}

void NodeAffinity::use(State& state, const NodeMask& nodes) {
    state.nodes = nodes;
    domain_.memory.prefer(nodes);
}

}  // namespace px
