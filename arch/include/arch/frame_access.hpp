// Contract: who may write a frame. A domain whose page tables the processor walks by itself (PV) must not have them written behind the
// checks: whoever writes its frames, or lets others write them, has a use of them that excludes page tables.
//
// hold_writable(frame)       a use for as long as the frame may be written; the caller has a reference for that time. May wait for other
//                            CPUs' flushes: no lock that IPI handlers take. Errors: einval (it is a page table, or is used as something else)
// drop_writable(frame)       ends it; before the reference is dropped
// giving_up(caller, frame)   its owner gives the frame up, on behalf of the caller: ends what keeps the frame in use by itself (a pin)
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
struct Frame;
}  // namespace px

namespace px::arch {

Result<> hold_writable(Frame& frame);
void drop_writable(Frame& frame);
void giving_up(Vcpu& caller, Frame& frame);

}  // namespace px::arch
