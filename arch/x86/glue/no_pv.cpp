// Without PV: there is one kind of guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/frame_access.hpp"
#include "arch/grant_places.hpp"
#include "arch/stale_frames.hpp"
#include "arch/x86/dom0/dom0.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "hypervisor/console/log.hpp"

namespace px {

const GuestKind* pv_kind() { return nullptr; }
bool pv_is_built() { return false; }
void turn_pv_off() {}

namespace arch {
// The translations of a physmap are flushed when its entries end.
Result<> hold_writable(Frame&) { return {}; }
void drop_writable(Frame&) {}
void giving_up(Vcpu&, Frame&) {}
// Every domain has a physmap.
Result<> place_grant(Vcpu&, u64, Mfn, u32) { return Err{Errno::einval}; }
Result<> remove_grant(Vcpu&, u64, Mfn, u32, u64) { return Err{Errno::einval}; }
void flush_grants(Domain&) {}
u32 freed_stamp(const Domain&) { return 0; }
void flush_stale(u32) {}
}  // namespace arch

}  // namespace px

namespace px::dom0 {

void create_pv(const boot::BootInfo&, const cmdline::BootOptions&) { panic("a PV dom0 was chosen, where there is no PV"); }

}  // namespace px::dom0

/// The traps of guests' rings; there are none.
extern "C" void pv_trap_entry() { __builtin_trap(); }
extern "C" void pv_debug_entry() { __builtin_trap(); }
