// XENMEM_exchange: frames for others, all or nothing.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/host/frame_numbers.hpp"
#include "arch/hypercalls.hpp"
#include "hypervisor/abi/memory.hpp"
#include "hypervisor/mm/frame_exchange.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

class MemoryExchangeTest : public HypercallWorld {
protected:
    static DomainSettings without_physmap() {
        DomainSettings chosen = settings();
        chosen.hvm = chosen.hap = false;
        return chosen;
    }
    Domain& a = make_domain(7, without_physmap());
    u64 in[16], out[16];
    abi::MemoryExchange op{};

    MemoryExchangeTest() {
        for (u64 i = 0; i < 16; ++i) {
            in[i] = mfn_of_page(a, Gfn{i}).raw;
            out[i] = 1000 + i * 100;
        }
        a.memory.set_max_frames(a.memory.frames());
        op.in = {{reinterpret_cast<u64>(in)}, 16, 0, 0, abi::domid::self};
        op.out = {{reinterpret_cast<u64>(out)}, 16, 0, 0, abi::domid::self};
    }
    i64 exchange(Vcpu& caller) {
        return invoke(hypercall_memory_op, caller, {{number(abi::MemoryOp::exchange), address(&op)}}, op, in, out);
    }
    i64 exchange() { return exchange(*a.vcpu(VcpuId{0})); }
    void expect_frames(u64 frames) { EXPECT_EQ(a.memory.frames(), frames); }
};

TEST_F(MemoryExchangeTest, SingleFramesForAContiguousBlock) {
    op.out.nr_extents = 2;
    op.out.extent_order = 3;
    static_cast<u8*>(to_virtual(Mfn{in[0]}))[0] = 1;
    ASSERT_EQ(exchange(), 0);
    EXPECT_EQ(op.nr_exchanged, 16u);
    for (u64 block = 0; block < 2; ++block) {
        EXPECT_EQ(out[block] % 8, 0u) << "aligned";
        for (u64 i = 0; i < 8; ++i) {
            const Mfn mfn{out[block] + i};
            EXPECT_EQ(frame_of(mfn).owner, &a);
            EXPECT_EQ(frame_of(mfn).references, 1u);
            EXPECT_EQ(arch::host_frame_number(mfn), 1000 + block * 100 + i);
        }
    }
    expect_frames(64);
    EXPECT_EQ(frame_of(Mfn{in[15]}).owner, nullptr);
    // What was got is given up as any other.
    EXPECT_TRUE(a.memory.release(frame_of(Mfn{out[0]})));
    expect_frames(63);
}

TEST_F(MemoryExchangeTest, ABlockForSingleFramesAndWithinAnAddressLimit) {
    op.out.nr_extents = 1;
    op.out.extent_order = 4;
    ASSERT_EQ(exchange(), 0);
    std::swap(op.in, op.out);
    op.in.extent_start.address = reinterpret_cast<u64>(out);
    op.out.extent_start.address = reinterpret_cast<u64>(in);
    op.out.mem_flags = abi::memf::address_bits(27);
    op.nr_exchanged = 0;
    for (u64& number : in) number = 5;
    ASSERT_EQ(exchange(), 0);
    EXPECT_EQ(op.nr_exchanged, 1u);
    for (const u64 mfn : in) {
        EXPECT_LT(mfn, u64{1} << 15);
        EXPECT_EQ(frame_of(Mfn{mfn}).owner, &a);
    }
    expect_frames(64);
}

TEST_F(MemoryExchangeTest, WhatOthersUseStays) {
    const FrameRef used(frame_of(Mfn{in[9]}));
    ASSERT_TRUE(try_get_frame(*used, &a));
    op.out.nr_extents = 4;
    op.out.extent_order = 2;
    EXPECT_EQ(exchange(), error(Errno::einval));
    EXPECT_EQ(op.nr_exchanged, 8u) << "the parts before it";
    for (u64 i = 8; i < 16; ++i) EXPECT_EQ(frame_of(Mfn{in[i]}).owner, &a);
    EXPECT_EQ(frame_of(Mfn{in[8]}).references, 1u);
    expect_frames(64);
}

TEST_F(MemoryExchangeTest, TheSameFrameTwiceOrAStrangersIsRefused) {
    in[1] = in[0];
    op.out.nr_extents = 4;
    op.out.extent_order = 2;
    EXPECT_EQ(exchange(), error(Errno::einval));
    in[1] = guest_domain().physmap.lookup(Gfn{1}).mfn.raw;
    EXPECT_EQ(exchange(), error(Errno::einval));
    in[1] = arch::frame_count();
    EXPECT_EQ(exchange(), error(Errno::einval));
    in[1] = ~u64{0};
    EXPECT_EQ(exchange(), error(Errno::einval));
    EXPECT_EQ(op.nr_exchanged, 0u);
    expect_frames(64);
    EXPECT_EQ(frame_of(Mfn{in[0]}).references, 1u);
}

TEST_F(MemoryExchangeTest, BadArguments) {
    const auto with = [&](auto change) {
        const abi::MemoryExchange before = op;
        change();
        const i64 result = exchange();
        op = before;
        return result;
    };
    EXPECT_EQ(with([&] { op.out.extent_order = 10; }), error(Errno::eperm));
    EXPECT_EQ(with([&] { op.nr_exchanged = 17; }), error(Errno::einval));
    EXPECT_EQ(with([&] { op.out.domid = 2; }), error(Errno::einval));
    EXPECT_EQ(with([&] { op.out.nr_extents = 15; }), error(Errno::einval));
    EXPECT_EQ(with([&] {
                  op.in.nr_extents = op.out.nr_extents = ~u64{0};
                  op.in.extent_order = op.out.extent_order = 1;
              }),
              error(Errno::einval));
    EXPECT_EQ(with([&] { op.in.domid = op.out.domid = 99; }), error(Errno::esrch));
    EXPECT_EQ(with([&] { op.in.domid = op.out.domid = 2; }), error(Errno::eperm));
    EXPECT_EQ(with([&] { op.in.extent_start.address = nowhere; }), error(Errno::efault));
    EXPECT_EQ(with([&] { op.out.extent_start.address = nowhere; }), error(Errno::efault));
    EXPECT_EQ(exchange(guest()), error(Errno::eopnotsupp)) << "it has a physmap";
    expect_frames(64);
}

TEST_F(MemoryExchangeTest, AnInterruptedExchangeGoesOn) {
    preempt_ = true;
    ASSERT_EQ(exchange(), 0);
    EXPECT_EQ(rounds_, 16u);
    EXPECT_EQ(op.nr_exchanged, 16u);
    for (u64 i = 0; i < 16; ++i) {
        EXPECT_EQ(frame_of(Mfn{out[i]}).owner, &a);
        EXPECT_EQ(arch::host_frame_number(Mfn{out[i]}), 1000 + i * 100);
    }
    expect_frames(64);
}

TEST_F(MemoryExchangeTest, ADomainThatDiesMeanwhileLosesNothing) {
    const DomainRef keep(a);
    {
        FrameExchange frames(a.memory);
        ASSERT_TRUE(frames.take(Mfn{in[0]}, 0).ok());
        ASSERT_TRUE(frames.take(Mfn{in[1]}, 0).ok());
        ASSERT_TRUE(frames.allocate(1, {}).ok());
        while (a.kill() == Progress::more) this_cpu().softirqs.store(0);
        EXPECT_EQ(a.memory.frames(), 2u);
        frames.commit();
    }
    EXPECT_EQ(a.memory.frames(), 0u);
}

}  // namespace
}  // namespace px
