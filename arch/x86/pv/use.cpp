// Uses taken and given back by a vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/use.hpp"

#include "arch/x86/pv/machine.hpp"

namespace px::pv {

Progress finish(VcpuMemory& caller) {
    if (!caller.unfinished) return Progress::done;
    if (dissolve(*caller.unfinished) == Progress::more) return Progress::more;
    caller.unfinished.reset();
    return Progress::done;
}

Result<Progress> settle_child(VcpuMemory& caller, FrameRef child, const Domain& owner, Result<Progress> result) {
    if (result.ok() && owner.is_dying()) result = Err{Errno::einval};
    if (!result.ok() && left_over(*child)) {
        PX_ASSERT(!caller.unfinished);
        caller.unfinished = std::move(child);
    }
    return result;
}

Result<Progress> take_use(VcpuMemory& caller, Domain& owner, Mfn mfn, FrameType type) {
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &owner), einval);
    FrameRef frame(frame_of(mfn));
    const Result<Progress> acquired = acquire(*frame, type);
    if (acquired.ok() && *acquired == Progress::done) {
        (void)frame.release();
        return Progress::done;
    }
    return settle_child(caller, std::move(frame), owner, acquired);
}

void give_use(VcpuMemory& caller, Frame& frame) {
    FrameRef reference(frame);
    if (release(frame) == Progress::done) return;
    PX_ASSERT(!caller.unfinished);
    caller.unfinished = std::move(reference);
}

Result<Progress> pin(VcpuMemory& caller, Domain& owner, Mfn mfn, FrameType type) {
    REQUIRE(!owner.is_dying(), einval);
    if (TRY(take_use(caller, owner, mfn, type)) == Progress::more) return Progress::more;
    Frame& frame = frame_of(mfn);
    if (!set_pinned(frame)) {
        give_use(caller, frame);
        return Err{Errno::einval};
    }
    // The owner's teardown says that it is dying, then takes pins away: either it sees ours, or we see that.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (owner.is_dying() && clear_pinned(frame)) give_use(caller, frame);
    return Progress::done;
}

Result<> unpin(VcpuMemory& caller, Domain& owner, Mfn mfn) {
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &owner), einval);
    const FrameRef frame(frame_of(mfn));
    REQUIRE(clear_pinned(*frame), einval);
    give_use(caller, *frame);
    return {};
}

Result<Progress> set_root(VcpuMemory& caller, Mfn mfn, Root which) {
    Frame*& root = which == Root::kernel ? caller.kernel_root : caller.user_root;
    const bool none = which == Root::user && mfn == Mfn{0};
    if (root != nullptr ? mfn_of(*root) == mfn : none) {
        machine::load_roots(caller.vcpu);
        return Progress::done;
    }
    if (!none && TRY(take_use(caller, caller.vcpu.domain, mfn, FrameType::l4)) == Progress::more) return Progress::more;
    Frame* const old = std::exchange(root, none ? nullptr : &frame_of(mfn));
    machine::load_roots(caller.vcpu);
    if (old != nullptr) give_use(caller, *old);
    return Progress::done;
}

}  // namespace px::pv
