// GNTTABOP_copy: one element, with what the next one may use again.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/domain/domain.hpp"

namespace px {

/// Backends copy many pieces of the same few pages: source and destination of an element stay pinned for the next.
class GrantCopier {
public:
    explicit GrantCopier(Domain& caller) : caller_(caller) {}
    /// Errors: as [xen/public grant_table.h] GNTST_*. After an error nothing is kept.
    GrantResult<> copy(const abi::GnttabCopy& op);

private:
    /// One side: a granted frame, or a frame of the caller's.
    struct Side {
        bool by_grant = false;
        DomId domain = domid_invalid;
        u64 name = 0;  ///< grant reference or frame number
        GrantPin pin;
        FrameRef frame;
        WritableFrame target;  ///< in its place, where it is written
        char* data = nullptr;  ///< nullptr: nothing is held
        u32 start = 0, end = 0;
    };
    GrantResult<> hold(Side& side, const abi::GnttabCopyPtr& pointer, bool by_grant, bool write);

    Domain& caller_;
    Side source_, destination_;
};

}  // namespace px
