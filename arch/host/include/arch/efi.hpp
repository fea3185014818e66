// Contract: how functions of the EFI firmware are called.
//
// PX_EFI_CALL   the attribute of a function, or of a pointer to one, with the firmware's calling convention [uefi 2.3.4]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The fake firmware of the tests is compiled with the code that calls it.
#define PX_EFI_CALL
