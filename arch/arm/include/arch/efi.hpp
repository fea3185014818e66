// AArch64: the firmware's calling convention is the compiler's own. Contract: see arch/x86/include/arch/efi.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#define PX_EFI_CALL
