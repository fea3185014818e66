// Who may write a frame of a PV domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/frame_access.hpp"

#include "arch/x86/pv/guest.hpp"
#include "arch/x86/pv/use.hpp"

namespace px::arch {
namespace {

/// The hypervisor's own frames, and what it shares with a domain, are written by everybody.
bool counts(const Frame& frame) {
    return frame.owner != nullptr && !frame.owner->settings.hvm && pv::use_of(frame).type != pv::FrameType::shared;
}

}  // namespace

Result<> hold_writable(Frame& frame) {
    if (counts(frame)) TRY(pv::acquire(frame, pv::FrameType::writable));
    return {};
}

void drop_writable(Frame& frame) {
    if (counts(frame)) pv::release_at_once(frame);
}

void giving_up(Vcpu& caller, Frame& frame) {
    if (!counts(frame) || !pv::clear_pinned(frame)) return;
    if (pv::Guest* const guest = pv::machine::guest_of(caller.domain); guest != nullptr && !guest->of(caller).unfinished) {
        return pv::give_use(guest->of(caller), frame);
    }
    // What can't be dissolved at once waits for the next who wants the frame, or for its domain's end.
    (void)pv::release(frame);
    put_frame(frame);
}

}  // namespace px::arch
