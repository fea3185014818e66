// Contract: how functions of the EFI firmware are called.
//
// PX_EFI_CALL   the attribute of a function, or of a pointer to one, with the firmware's calling convention [uefi 2.3.4]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#define PX_EFI_CALL __attribute__((ms_abi))
