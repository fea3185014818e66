// Filling a range of guest memory with frames.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/populate.hpp"

#include <array>
#include <vector>

namespace px::builder {

namespace {

constexpr std::array<unsigned, 3> orders{18, 9, 0};  // 1 GiB, 2 MiB, 4 KiB
constexpr usize batch = 512;                         // blocks at a time

/// The largest block that may begin at `at` and ends within `end`.
usize rank_at(u64 at, u64 end, usize largest) {
    usize rank = largest;
    while (rank + 1 < orders.size() && (at % (u64{1} << orders[rank]) != 0 || end - at < u64{1} << orders[rank])) ++rank;
    return rank;
}

}  // namespace

call::Outcome<> populate_range(loader::Extent range, const Populate& populate) {
    const u64 end = range.end >> page_shift;
    usize largest = 0;    // rank of the largest blocks worth a try
    u64 small_until = 0;  // here a larger one couldn't be had
    for (u64 at = range.start >> page_shift; at < end;) {
        if (at >= small_until) largest = 0;
        const u64 stop = at < small_until ? small_until : end;
        const usize rank = rank_at(at, stop, largest);
        const u64 frames = u64{1} << orders[rank];
        std::vector<u64> starts;
        for (u64 next = at; next < stop && starts.size() < batch && rank_at(next, stop, largest) == rank; next += frames) {
            starts.push_back(next);
        }
        const usize done = TRY(populate(starts, orders[rank]));
        at += done * frames;
        if (done == starts.size()) continue;
        if (rank + 1 == orders.size()) return Err{call::Error{ENOMEM, "the machine has not enough free memory"}};
        largest = rank + 1;
        small_until = at + frames;
    }
    return {};
}

}  // namespace px::builder
