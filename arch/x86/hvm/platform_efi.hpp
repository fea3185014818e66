// The EFI part of HYPERVISOR_platform_op. [xen/public platform.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/platform.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px::hvm {

/// XENPF_firmware_info of type EFI_INFO. Errors: enosys (not booted by EFI), efault, esrch, enodata, einval (no such index).
Result<Reply> efi_firmware_info(abi::PlatformOp& op);

/// XENPF_efi_runtime_call: the firmware's own status goes into the operation. Errors: enosys (no EFI; capsules), einval, efault,
/// e2big (a name or a variable larger than any firmware's), enomem.
Result<Reply> efi_runtime_call(abi::PlatformOp& op);

}  // namespace px::hvm
