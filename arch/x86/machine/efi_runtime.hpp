// The EFI firmware's runtime services, for the hardware domain. [uefi 8]
//
// They run on page tables of their own, at the physical addresses that the firmware knows (SetVirtualAddressMap is never called): the
// upper half is the hypervisor's, so buffers of ours serve as arguments; below lie only the firmware's runtime regions, with the rights
// that its memory attributes table leaves. One call at a time, interrupts off, the guest's SSE state put aside.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/efi/api.hpp"
#include "boot/entry/efi.hpp"

namespace px::arch {

/// Builds their address space, once, where EFI booted this machine. Errors are logged: there are no services then.
void init_efi_runtime();

/// What EFI left behind; nullptr where this machine was booted otherwise.
const boot::EfiHandover* efi_firmware();

/// Errors: enosys (no services). Arguments: addresses in the direct map or in the image.
Result<efi::Status> efi_get_time(efi::Time& time, efi::TimeCapabilities& capabilities);
Result<efi::Status> efi_set_time(const efi::Time& time);
Result<efi::Status> efi_get_wakeup_time(bool& enabled, bool& pending, efi::Time& time);
Result<efi::Status> efi_set_wakeup_time(bool enable, const efi::Time* time);
Result<efi::Status> efi_get_variable(const char16_t* name, const efi::Guid& vendor, u32& attributes, u64& size, void* data);
Result<efi::Status> efi_set_variable(const char16_t* name, const efi::Guid& vendor, u32 attributes, u64 size, const void* data);
Result<efi::Status> efi_next_variable(u64& size, char16_t* name, efi::Guid& vendor);
Result<efi::Status> efi_monotonic_count(u32& high);
Result<efi::Status> efi_query_variables(u32 attributes, u64& most, u64& left, u64& largest);

}  // namespace px::arch
