// x86 on the build host: CPU primitives, as the host fakes it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/host/include/arch/cpu.hpp"
