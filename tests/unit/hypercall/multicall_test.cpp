// multicall, set_timer_op.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/time.hpp"
#include "hypervisor/abi/version.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

class Multicall : public HypercallWorld {};

TEST_F(Multicall, EachResultStandsInItsEntry) {
    abi::MulticallEntry calls[5]{};
    calls[0].op = abi::hypercall::xen_version;
    calls[1].op = abi::hypercall::mmu_update;  // not in the table
    calls[2].op = abi::hypercall::multicall;   // no nesting
    calls[3].op = u64{1} << 32 | abi::hypercall::xen_version;
    calls[4].op = abi::hypercall::xen_version;
    calls[4].args[0] = number(abi::XenVersionOp::pagesize);
    EXPECT_EQ(invoke(hypercall_multicall, guest(), {{address(calls), 5}}, calls), 0);
    EXPECT_EQ(calls[0].result, u64{4} << 16 | 17);
    EXPECT_EQ(static_cast<i64>(calls[1].result), error(Errno::enosys));
    EXPECT_EQ(static_cast<i64>(calls[2].result), error(Errno::einval));
    EXPECT_EQ(static_cast<i64>(calls[3].result), error(Errno::enosys));
    EXPECT_EQ(calls[4].result, 4096u);
}

TEST_F(Multicall, BadPointers) {
    EXPECT_EQ(invoke(hypercall_multicall, guest(), {{nowhere, 1}}), error(Errno::efault));
    EXPECT_EQ(invoke(hypercall_multicall, guest(), {{nowhere, 0}}), 0);
    abi::MulticallEntry one[1]{};
    one[0].op = abi::hypercall::xen_version;
    EXPECT_EQ(invoke(hypercall_multicall, guest(), {{address(one), 2}}, one), error(Errno::efault));
    EXPECT_EQ(one[0].result, u64{4} << 16 | 17);  // what came before the hole was done
}

TEST_F(Multicall, InterruptedItGoesOnWhereItWas) {
    abi::MulticallEntry calls[20]{};
    for (auto& call : calls) call.op = abi::hypercall::xen_version;
    // One of them is itself interrupted: its rest stands in its entry.
    u64 gfns[3] = {1000, 1001, 1002};
    abi::MemoryReservation reservation{{address(gfns)}, 3, 0, 0, domid_self.raw};
    calls[7].op = abi::hypercall::memory_op;
    calls[7].args[0] = number(abi::MemoryOp::populate_physmap);
    calls[7].args[1] = address(&reservation);
    preempt_ = true;
    EXPECT_EQ(invoke(hypercall_multicall, guest(), {{address(calls), 20}}, calls, gfns, reservation), 0);
    EXPECT_EQ(rounds_, 22u);
    EXPECT_EQ(calls[7].result, 3u);
    EXPECT_EQ(calls[19].result, u64{4} << 16 | 17);
    EXPECT_EQ(guest_domain().physmap.lookup(Gfn{1002}).type, GfnType::ram);
}

TEST_F(Multicall, SetTimer) {
    arch::host_set_now(seconds(10));
    const auto set = [&](i64 deadline) { return invoke(hypercall_set_timer_op, guest(), {{static_cast<u64>(deadline)}}); };
    EXPECT_EQ(set(seconds(12).raw), 0);
    EXPECT_EQ(guest().singleshot_timer.deadline(), seconds(12));
    EXPECT_EQ(set(0), 0);
    EXPECT_FALSE(guest().singleshot_timer.armed());
    EXPECT_EQ(set(-5), 0);  // "in years", or "now"?
    EXPECT_EQ(guest().singleshot_timer.deadline(), seconds(10) + milliseconds(100));
    EXPECT_EQ(set(i64{1} << 60), 0);
    EXPECT_EQ(guest().singleshot_timer.deadline(), seconds(10) + milliseconds(100));
    EXPECT_EQ(set(1), 0);  // in the past: at once
    EXPECT_TRUE(guest().singleshot_timer.armed());
}

}  // namespace
}  // namespace px
