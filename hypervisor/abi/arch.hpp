// The architecture-dependent part of the ABI for the machine that is being compiled for.
//
// The only place of the ABI that looks at the target: everything else says `arch::…`. (The layouts of every
// architecture are plain C++ and can also be included directly, e.g. by a test of one on the other.)
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__)
#include "hypervisor/abi/x86/domain.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
namespace px::abi {
namespace arch = x86;
}
#elif defined(__aarch64__)
#include "hypervisor/abi/arm/domain.hpp"
#include "hypervisor/abi/arm/vcpu_context.hpp"
namespace px::abi {
namespace arch = arm;
}
#else
#error "no ABI of this architecture yet"
#endif
