// Choosing the scheduling policy at boot.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/sched/create.hpp"

#include <array>
#include <new>

#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/sched/fair.hpp"
#include "hypervisor/sched/null.hpp"

namespace px::sched {
namespace {

alignas(FairCpu) unsigned char fair_cpu_memory[sizeof(FairCpu) * max_cpus];
alignas(FairPolicy) unsigned char fair_memory[sizeof(FairPolicy)];
alignas(NullPolicy) unsigned char null_memory[sizeof(NullPolicy)];

}  // namespace

Policy* create_policy(std::string_view name, Environment& environment) {
    if (name == "null") return new (null_memory) NullPolicy(environment);
    if (name != default_policy) return nullptr;
    auto* const cpus = reinterpret_cast<FairCpu*>(fair_cpu_memory);
    for (unsigned i = 0; i < max_cpus; ++i) new (&cpus[i]) FairCpu();
    return new (fair_memory) FairPolicy(environment, {cpus, max_cpus});
}

}  // namespace px::sched
