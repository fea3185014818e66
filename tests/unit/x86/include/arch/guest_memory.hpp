// x86 on the build host: access to the memory of the current vCPU, and the host's additions that its machine wants, as the host fakes it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/host/include/arch/guest_memory.hpp"
