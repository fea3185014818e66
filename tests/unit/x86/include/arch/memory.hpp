// x86 on the build host: machine memory, as the host fakes it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/host/include/arch/memory.hpp"
