// The state of a whole domain as a stream of records: what libxl starts a PVH guest with, and what migration moves.
// [xen/public arch-x86/hvm/save.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/domctl/cpu_record.hpp"
#include "arch/x86/domctl/record_stream.hpp"

namespace px {
class Domain;
class Vcpu;
}  // namespace px

namespace px::hvm {

// The vCPUs named don't run: their domain is paused.

/// Everything, with header and end. Errors: enospc.
Result<> save_context(Domain& domain, RecordWriter& writer);
/// One record. Errors: einval (unknown type), enoent (no such instance), enospc.
Result<> save_record(Domain& domain, HvmSaveCode code, u32 instance, RecordWriter& writer);
/// Takes every vCPU down, then brings up those whose CPU record is in the stream. What was loaded before an error stays.
/// Errors: enodata (cut off; header or end missing), einval (a record is refused).
Result<> load_context(Domain& domain, std::span<const u8> stream);

/// The registers of one vCPU.
CpuImage capture(Vcpu& vcpu);

}  // namespace px::hvm
