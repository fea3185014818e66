// Uses taken and given back by a vCPU, which may have to finish them later.
//
// Each operation begins with finish(); then at most one partial table is left by it, in VcpuMemory::unfinished.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/guest.hpp"

namespace px::pv {

/// Dissolves what an earlier operation has left.
Progress finish(VcpuMemory& caller);

/// A reference to frame `mfn` of `owner`, and a use of it. Progress::more: run again. Errors: einval; as acquire().
Result<Progress> take_use(VcpuMemory& caller, Domain& owner, Mfn mfn, FrameType type);
/// Gives both back; what can't be undone now is left unfinished.
void give_use(VcpuMemory& caller, Frame& frame);

/// After an operation on a table that names `child` gave this result: keeps the reference for finish(), or drops it.
/// Gives the result that the caller sees: what is interrupted in a dying domain has failed, for its teardown may have passed already.
Result<Progress> settle_child(VcpuMemory& caller, FrameRef child, const Domain& owner, Result<Progress> result);

/// Pins a page table of `owner` as `type`. Errors: einval (as acquire(); it is pinned already).
Result<Progress> pin(VcpuMemory& caller, Domain& owner, Mfn mfn, FrameType type);
/// Errors: einval (not the owner's, not pinned).
Result<> unpin(VcpuMemory& caller, Domain& owner, Mfn mfn);

/// The caller's root table, of its kernel or of its users; frame 0: none, for users only. Errors: einval.
enum class Root : u8 { kernel, user };
Result<Progress> set_root(VcpuMemory& caller, Mfn mfn, Root which);

}  // namespace px::pv
