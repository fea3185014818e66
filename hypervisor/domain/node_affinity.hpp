// Which NUMA nodes a domain's memory is to come from.
//
// Its toolstack names them, or they follow from where its vCPUs run.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/mm/nodes.hpp"

namespace px {

class Domain;

class NodeAffinity {
public:
    explicit NodeAffinity(Domain& domain) : domain_(domain) {}

    NodeMask nodes();
    /// All of the machine's: they follow the vCPUs from now on. Errors: einval (none of the machine's).
    Result<> set(const NodeMask& nodes);
    /// A vCPU was made, or may run elsewhere.
    void follow_vcpus();

private:
    struct State {
        NodeMask nodes;
        bool follows = true;
    };
    NodeMask of_vcpus() const;
    void use(State& state, const NodeMask& nodes);

    Domain& domain_;
    Locked<State, LockRank::domain> state_;
};

}  // namespace px
