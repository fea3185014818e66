// x86 on the build host: this CPU's block, as the host fakes it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/host/include/arch/per_cpu.hpp"
