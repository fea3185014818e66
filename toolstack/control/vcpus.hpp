// A domain's vCPUs: what they do, and where they may run.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "toolstack/control/domain.hpp"

namespace px::control {

using CpuSet = std::vector<bool>;  ///< one element per physical CPU

struct VcpuAffinity {
    CpuSet hard, soft;
};

/// Error ESRCH: there is no such vCPU.
call::Outcome<abi::DomctlGetvcpuinfo> vcpu_info(Domain domain, u32 vcpu);
/// `cpus`: how many the machine has (MachineInfo's max_cpu_id + 1).
call::Outcome<VcpuAffinity> vcpu_affinity(Domain domain, u32 vcpu, usize cpus);
/// What isn't given stays as it is. `force` overrides a temporary pinning.
call::Outcome<> set_vcpu_affinity(Domain domain, u32 vcpu, const std::optional<CpuSet>& hard, const std::optional<CpuSet>& soft,
                                  bool force = false);

}  // namespace px::control
