// Progress of a preemptible operation.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {

enum class Progress : u8 { done, more };

}  // namespace px
