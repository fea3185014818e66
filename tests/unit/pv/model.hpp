// A model of the type machine that knows no shortcuts: from what a guest holds it counts every use and every reference anew, by
// walking all that its tables say, and foretells what an operation must answer by trying it on a copy.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <vector>

#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {

class Model {
public:
    /// Of one domain, whose frames are `frames`.
    explicit Model(std::set<u64> frames) : frames_(std::move(frames)) {}

    // What the guest holds: said by the test after each success.
    std::set<u64> pins;  ///< frames; their type stands in `pin_types`
    std::map<u64, FrameType> pin_types;
    std::map<unsigned, u64> roots;  ///< by place: frame
    std::vector<u64> descriptors;

    /// Counts everything anew. False: what is held can't be valid.
    bool count_all();

    /// What the operation answers, 0 or -errno; counts as they are after count_all().
    i64 foretell_use(u64 frame, FrameType type);
    i64 foretell_pin(u64 frame, FrameType type);
    i64 foretell_change(u64 frame, unsigned index, Entry value);
    bool may_write(u64 frame) const;

    /// Whether frame's entry names a table of its own level; known from foretell_change() and foretell_use(), which decide it.
    std::set<std::pair<u64, unsigned>> linear;
    /// Takes `linear` from what the machine says: after operations that weren't foretold.
    void learn_linear();

    struct Use {
        FrameType type = FrameType::none;
        u32 count = 0;
        bool valid = false;
        i32 names = 0, named = 0;  ///< linear entries of it, and to it
    };
    const std::map<u64, Use>& uses() const { return uses_; }
    u32 references(u64 frame) const { return references_.contains(frame) ? references_.at(frame) : 0; }

private:
    using Errors = i64;
    Errors take(u64 frame, FrameType type);
    Errors take_entries(u64 table, Level level);
    Errors take_entry(u64 table, Level level, unsigned index, Entry entry);
    Errors take_page(Entry entry);
    Errors take_linear(u64 table, Level level, unsigned index, Entry entry);

    std::set<u64> frames_;
    std::map<u64, Use> uses_;
    std::map<u64, u32> references_;
    bool recounting_ = false;  ///< `linear` says which entries are; else it is found out
};

}  // namespace px::pv
