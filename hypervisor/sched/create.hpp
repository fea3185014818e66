// Choosing the scheduling policy at boot.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/sched/environment.hpp"
#include "hypervisor/sched/policy.hpp"

namespace px::sched {

/// The name that stands for our own policy: what toolstacks speak is credit2.
inline constexpr std::string_view default_policy = "credit2";

/// The policy of that name, made once and never destroyed; nullptr for names that nobody has.
Policy* create_policy(std::string_view name, Environment& environment);

}  // namespace px::sched
