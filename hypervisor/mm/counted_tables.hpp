// Where the tables of a physmap come from: the frame allocator. A policy of PageTable inherits it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {

class CountedTables {
public:
    /// An empty table. Errors: enomem.
    Result<Mfn> allocate_table() {
        const Mfn table = TRY(allocate_frames(0));
        ++frames_;
        return table;
    }
    void free_table(Mfn table) {
        free_frames(table, 0);
        --frames_;
    }
    static u64* entries(Mfn table) { return static_cast<u64*>(to_virtual(table)); }
    /// Tables in use.
    u64 frames() const { return frames_; }

private:
    u64 frames_ = 0;
};

}  // namespace px
