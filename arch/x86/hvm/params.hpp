// Parameters of an HVM-style domain: who may read and write which, and which values make sense. [xen/public hvm/params.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/domain_state.hpp"
#include "hypervisor/abi/hvm_params.hpp"
#include "hypervisor/abi/xen.hpp"

namespace px::hvm {

/// Errors: einval (no such parameter, or one of the hypervisor's own), eperm (its own domain may not).
Result<> may_read_param(u32 index, bool own);
/// As may_read_param(), and eexist: it is set already, to something else than `value`.
Result<> may_write_param(u32 index, bool own, u64 current, u64 value);
/// Errors: einval, for values that mean nothing.
Result<> check_param_value(u32 index, u64 value);

/// HVM_PARAM_CALLBACK_IRQ: Via::none for 0 and unknown kinds.
Callback decode_callback(u64 value);

/// VM86_TSS has an address only; its size is 128 bytes by tradition.
constexpr u64 sized_vm86_tss(u64 address) { return address == 0 ? 0 : u64{128} << 32 | address; }

}  // namespace px::hvm
