// Instructions per operation, by a TSC that counts them (Bochs): one `PX-BENCH operation count` line each.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/guests/common/guest.hpp"

namespace px::guest {

inline u64 counter() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return low | u64{high} << 32;
}

/// Bochs stops here where it was told to (magic_break), and traces up to the next one; elsewhere it does nothing.
inline void trace_mark() { asm volatile("xchgw %%bx, %%bx" ::: "memory"); }

/// The median of single operations: a timer interrupt of the hypervisor within one doesn't count.
class Counts {
public:
    static constexpr unsigned most = 101;

    bool full(unsigned wanted = most) const { return count_ == wanted; }
    void add(u64 taken) {
        unsigned at = count_++;
        for (; at > 0 && sorted_[at - 1] > taken; --at) sorted_[at] = sorted_[at - 1];
        sorted_[at] = taken;
    }
    void print_median(std::string_view name) const { print("PX-BENCH {} {}\n", name, sorted_[count_ / 2]); }

private:
    u64 sorted_[most]{};
    unsigned count_ = 0;
};

/// `rounds` operations, and one more for the trace.
template <class Operation>
void measure(std::string_view name, Operation operation, unsigned rounds = Counts::most) {
    Counts counts;
    while (!counts.full(rounds)) {
        const u64 start = counter();
        operation();
        counts.add(counter() - start);
    }
    trace_mark();
    operation();
    trace_mark();
    counts.print_median(name);
}

}  // namespace px::guest
