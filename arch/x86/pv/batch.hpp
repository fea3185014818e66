// Batches of mmu_update and mmuext_op: arguments (list, count, where to say how many were done, owners). [xen/public xen.h]
//
// An interrupted batch goes on with what is left; the top bit of the count says that the number done already stands in the guest's
// memory. A batch that is done but for a table to dissolve waits with an empty list, its result in place of the owners.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "arch/x86/pv/mapping.hpp"
#include "arch/x86/pv/use.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px::pv {

inline constexpr u32 batch_goes_on = u32{1} << 31;

/// The elements of a batch: each is read once, and several together, as far as memory goes.
template <class Op>
class BatchReader {
public:
    BatchReader(GuestPtr<Op> list, u32 count) : list_(list), count_(count) {}

    /// The element `i`; they are asked for in order. Errors: efault.
    Result<const Op*> read(u32 i) {
        if (i == end_) TRY(read_from(i));
        return &ops_[i - start_];
    }

private:
    static constexpr u32 at_once = 256 / sizeof(Op);

    Result<> read_from(u32 i) {
        start_ = i;
        const u32 wanted = std::min(count_ - i, at_once);
        end_ = i + wanted;
        if (list_.at(i).read_many(ops_.data(), wanted)) return {};
        end_ = i + 1;  // the rest is for those who get so far
        return list_.at(i).read_many(ops_.data(), 1);
    }

    GuestPtr<Op> list_;
    u32 count_, start_ = 0, end_ = 0;
    std::array<Op, at_once> ops_;
};

/// Asks perform(op), a Result<Progress>, for each element, until one fails: that is the batch's result.
/// Errors: efault; those of perform().
template <class Op, class Perform>
Result<Reply> run_batch(VcpuMemory& caller, HypercallArgs& args, Perform perform) {
    const GuestPtr<Op> list(args[0]);
    const u32 count = static_cast<u32>(args[1]) & ~batch_goes_on;
    const GuestPtr<u32> done(args[2]);
    u32 before = 0;
    if ((args[1] & batch_goes_on) != 0 && !done.is_null()) before = done.read().value_or(0);
    Result<Progress> result = Progress::done;
    BatchReader<Op> elements(list, count);
    u32 i = 0;
    for (; i < count; ++i) {
        if (i != 0 && (caller.unfinished || machine::pause_wanted())) {
            result = Progress::more;
            break;
        }
        const Result<const Op*> op = elements.read(i);
        result = op.ok() ? perform(**op) : Err{op.error()};
        if (!result.ok() || *result == Progress::more) break;
    }
    if (!done.is_null()) (void)done.write(before + i);
    if (result.ok() && *result == Progress::more) {
        args = {{list.at(i).address(), (count - i) | batch_goes_on, args[2], args[3]}};
        return run_again;
    }
    const Result<Reply> reply = result.ok() ? Result<Reply>(Reply{}) : Err{result.error()};
    if (!caller.unfinished) return reply;
    args = {{0, batch_goes_on, 0, static_cast<u64>(to_register(reply))}};
    return run_again;
}

/// What comes before owners are looked up: the table that an earlier part left, and a batch whose result waits. Nothing: go on.
inline std::optional<Reply> before_batch(VcpuMemory& caller, const HypercallArgs& args) {
    if (finish(caller) == Progress::more) return run_again;
    if (args[0] == 0 && static_cast<u32>(args[1]) == batch_goes_on) return Reply{static_cast<i32>(args[3])};
    return std::nullopt;
}

/// The owner of the pages that a caller names [xen/public xen.h FD]; `domain` keeps it.
struct NamedOwner {
    DomainRef domain;
    PageOwner::Kind kind;
    PageOwner pages() const { return {kind, *domain}; }
};
/// Errors: esrch (also the caller by its own number, which must say "self"), eperm (not the caller's to control).
Result<NamedOwner> find_page_owner(Vcpu& caller, u16 id);

}  // namespace px::pv
