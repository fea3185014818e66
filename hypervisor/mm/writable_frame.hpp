// A counted reference to a frame, with the right to write it (arch/frame_access.hpp); both are given back at its end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/frame_access.hpp"
#include "hypervisor/mm/frame.hpp"

namespace px {

class WritableFrame {
public:
    WritableFrame() = default;
    /// Errors: einval (it is a page table, or is used as something else).
    static Result<WritableFrame> take(FrameRef frame) {
        TRY(arch::hold_writable(*frame));
        return adopt(std::move(frame));
    }
    /// The caller has taken the right.
    static WritableFrame adopt(FrameRef frame) {
        WritableFrame result;
        result.frame_ = std::move(frame);
        return result;
    }
    WritableFrame(WritableFrame&& other) : frame_(std::move(other.frame_)) {}
    WritableFrame& operator=(WritableFrame&& other) {
        if (this == &other) return *this;
        reset();
        frame_ = std::move(other.frame_);
        return *this;
    }
    ~WritableFrame() { reset(); }

    explicit operator bool() const { return static_cast<bool>(frame_); }
    Mfn mfn() const { return frame_.mfn(); }
    void* data() const { return frame_.data(); }
    void reset() {
        if (frame_) arch::drop_writable(*frame_);
        frame_.reset();
    }
    /// Reference and right are the caller's.
    Frame& release() { return frame_.release(); }

private:
    FrameRef frame_;
};

}  // namespace px
