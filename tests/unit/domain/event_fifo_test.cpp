// FIFO event channels, with a guest that takes events as Linux does, and one that doesn't play by the rules.
//
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

constexpr u32 pending = 1u << 31, masked = 1u << 30, linked = 1u << 29, busy = 1u << 28;
constexpr Gfn control_gfn{10}, array_gfn{20};

class EventFifoTest : public World {
protected:
    /// A domain whose vCPUs have control blocks (in frame 10 + vCPU) and `frames` frames of event words (from 20 on).
    Domain& make_fifo_domain(u16 id, u32 vcpus = 1, u32 frames = 1) {
        DomainSettings large = settings(vcpus);
        large.max_event_port = 8191;
        Domain& domain = make_domain(id, large);
        for (u32 i = 0; i < vcpus; ++i) EXPECT_TRUE(domain.events.init_control(VcpuId{i}, control_gfn + i, 64).ok());
        for (u32 i = 0; i < frames; ++i) EXPECT_TRUE(domain.events.expand_array(array_gfn + i).ok());
        return domain;
    }
    static u32& word(Domain& domain, EvtPort port) { return page<u32>(domain, array_gfn + port.raw / 1024)[port.raw % 1024]; }
    static abi::EvtchnFifoControlBlock& control(Domain& domain, u32 vcpu = 0) {
        return *reinterpret_cast<abi::EvtchnFifoControlBlock*>(page(domain, control_gfn + vcpu) + 64);
    }
    /// Takes every event off the queues of a vCPU, highest priority first: the ports in that order. The guest keeps a
    /// queue's head between two rounds where it found it empty, as Linux does.
    std::vector<u32> take(Domain& domain, u32 vcpu = 0) {
        std::vector<u32> ports;
        domain.vcpu(VcpuId{vcpu})->info().evtchn_upcall_pending = 0;
        abi::EvtchnFifoControlBlock& block = control(domain, vcpu);
        u32 ready = std::exchange(block.ready, 0);
        while (ready != 0) {
            const u32 queue = static_cast<u32>(std::countr_zero(ready));
            u32& head = heads_[{&domain, vcpu, queue}];
            if (head == 0) head = block.head[queue];
            const u32 port = head;
            u32& event = word(domain, EvtPort{port});
            head = event & 0x1ffff;
            event &= ~(linked | 0x1ffff);
            if (head == 0) ready &= ~(1u << queue);
            if ((event & (pending | masked)) == pending) {
                event &= ~pending;
                ports.push_back(port);
            }
            if (ports.size() > 10'000) {
                ADD_FAILURE() << "the queue has a loop";
                break;
            }
        }
        return ports;
    }
    EvtPort ipi(Domain& domain, u32 vcpu = 0) { return domain.events.bind_ipi(VcpuId{vcpu}).value_or(EvtPort{}); }

private:
    std::map<std::tuple<Domain*, u32, u32>, u32> heads_;
};

TEST_F(EventFifoTest, EventsAreTakenInTheOrderOfSending) {
    Domain& a = make_fifo_domain(1);
    std::vector<u32> sent;
    for (unsigned i = 0; i < 20; ++i) sent.push_back(ipi(a).raw);
    std::swap(sent[3], sent[15]);
    for (u32 port : sent) ASSERT_TRUE(a.events.send(EvtPort{port}).ok());
    EXPECT_EQ(control(a).ready, 1u << 7);
    EXPECT_EQ(control(a).head[7], sent[0]);
    EXPECT_EQ(a.vcpu(VcpuId{0})->arch.upcalls, 1u);
    EXPECT_EQ(take(a), sent);
    EXPECT_EQ(take(a), std::vector<u32>{});
    ASSERT_TRUE(a.events.send(EvtPort{sent[4]}).ok());
    EXPECT_EQ(take(a), std::vector<u32>{sent[4]});
}

TEST_F(EventFifoTest, TheSamePortGoesRoundAndRound) {
    Domain& a = make_fifo_domain(1);
    const EvtPort port = ipi(a), other = ipi(a);
    for (unsigned i = 0; i < 5; ++i) {
        ASSERT_TRUE(a.events.send(port).ok());
        ASSERT_TRUE(a.events.send(port).ok()) << "pending already";
        ASSERT_EQ(take(a), std::vector<u32>{port.raw});
    }
    ASSERT_TRUE(a.events.send(port).ok());
    ASSERT_TRUE(a.events.send(other).ok());
    EXPECT_EQ(take(a), (std::vector<u32>{port.raw, other.raw}));
}

TEST_F(EventFifoTest, PriorityComesFirst) {
    Domain& a = make_fifo_domain(1);
    const EvtPort low = ipi(a), normal = ipi(a), high = ipi(a);
    ASSERT_TRUE(a.events.set_priority(low, 15).ok());
    ASSERT_TRUE(a.events.set_priority(high, 0).ok());
    EXPECT_EQ(a.events.set_priority(high, 16).error(), Errno::einval);
    EXPECT_EQ(a.events.set_priority(EvtPort{4000}, 1).error(), Errno::einval);
    for (EvtPort port : {low, normal, high}) ASSERT_TRUE(a.events.send(port).ok());
    EXPECT_EQ(take(a), (std::vector<u32>{high.raw, normal.raw, low.raw}));
}

TEST_F(EventFifoTest, AnEventMovesToAnotherQueueAndLeavesTheOldOneWhole) {
    Domain& a = make_fifo_domain(1, 2);
    Domain& b = make_domain(2);
    const EvtPort moving = *a.events.alloc_unbound(b.id);
    const EvtPort sender = *b.events.bind_interdomain(a, moving);
    const EvtPort stays = ipi(a);
    ASSERT_TRUE(b.events.send(sender).ok());
    EXPECT_EQ(take(a, 0), std::vector<u32>{moving.raw});
    // It was the tail of vCPU 0's queue: linking behind it there would enter another queue.
    ASSERT_TRUE(a.events.bind_vcpu(moving, VcpuId{1}).ok());
    ASSERT_TRUE(b.events.send(sender).ok());
    ASSERT_TRUE(a.events.send(stays).ok());
    EXPECT_EQ(take(a, 0), std::vector<u32>{stays.raw});
    EXPECT_EQ(take(a, 1), std::vector<u32>{moving.raw});
    ASSERT_TRUE(a.events.set_priority(moving, 2).ok());
    ASSERT_TRUE(b.events.send(sender).ok());
    EXPECT_EQ(control(a, 1).ready, 1u << 2);
    EXPECT_EQ(take(a, 1), std::vector<u32>{moving.raw});
}

TEST_F(EventFifoTest, MaskedEventsAreLinkedByUnmask) {
    Domain& a = make_fifo_domain(1);
    const EvtPort port = ipi(a);
    word(a, port) |= masked;
    ASSERT_TRUE(a.events.send(port).ok());
    EXPECT_EQ(word(a, port), pending | masked);
    EXPECT_TRUE(*a.events.is_pending(port));
    ASSERT_TRUE(a.events.unmask(port).ok());
    EXPECT_EQ(word(a, port), pending | linked);
    EXPECT_EQ(take(a), std::vector<u32>{port.raw});
    ASSERT_TRUE(a.events.unmask(port).ok()) << "not pending: nothing to link";
    EXPECT_EQ(take(a), std::vector<u32>{});
}

TEST_F(EventFifoTest, EventsThatComeBeforeTheirWordAreNotLost) {
    Domain& a = make_fifo_domain(1, 1, 0);
    const EvtPort port = ipi(a);
    ASSERT_TRUE(a.events.send(port).ok());
    EXPECT_TRUE(*a.events.is_pending(port));
    ASSERT_TRUE(a.events.expand_array(array_gfn).ok());
    EXPECT_EQ(take(a), std::vector<u32>{port.raw});
}

TEST_F(EventFifoTest, WhatWasPendingBeforeTheSwitchComesAfterIt) {
    Domain& a = make_domain(1);
    const EvtPort port = *a.events.bind_ipi(VcpuId{0});
    ASSERT_TRUE(a.events.send(port).ok());
    ASSERT_TRUE(a.events.init_control(VcpuId{0}, control_gfn, 64).ok());
    ASSERT_TRUE(a.events.expand_array(array_gfn).ok());
    EXPECT_EQ(take(a), std::vector<u32>{port.raw});
}

TEST_F(EventFifoTest, MorePortsThanTwoLevelEverHad) {
    Domain& a = make_fifo_domain(1, 1, 8);
    EvtPort last;
    for (u32 i = 1; i <= 8191; ++i) last = *a.events.alloc_unbound(DomId{2});
    EXPECT_EQ(last.raw, 8191u);
    EXPECT_EQ(a.events.alloc_unbound(DomId{2}).error(), Errno::enospc);
    EXPECT_EQ(a.events.expand_array(array_gfn + 9).error(), Errno::enospc);
    ASSERT_TRUE(a.events.close(last).ok());
    ASSERT_EQ(ipi(a), last);
    ASSERT_TRUE(a.events.send(last).ok());
    EXPECT_EQ(take(a), std::vector<u32>{8191});
}

TEST_F(EventFifoTest, BadInputs) {
    Domain& a = make_domain(1, 2);
    EXPECT_EQ(a.events.init_control(VcpuId{2}, control_gfn, 0).error(), Errno::enoent);
    EXPECT_EQ(a.events.init_control(VcpuId{0}, control_gfn, 4).error(), Errno::einval);
    EXPECT_EQ(a.events.init_control(VcpuId{0}, control_gfn, 4096 - 64).error(), Errno::einval);
    EXPECT_EQ(a.events.init_control(VcpuId{0}, Gfn{1000}, 0).error(), Errno::einval);
    EXPECT_FALSE(a.events.uses_fifo()) << "what failed changed nothing";
    EXPECT_EQ(a.events.set_priority(EvtPort{1}, 3).error(), Errno::einval);
    const EvtPort port = ipi(a);
    EXPECT_EQ(a.events.set_priority(port, 3).error(), Errno::enosys);
    ASSERT_TRUE(a.events.init_control(VcpuId{0}, control_gfn, 0).ok());
    EXPECT_EQ(a.events.init_control(VcpuId{0}, control_gfn, 0).error(), Errno::einval) << "twice";
    EXPECT_EQ(a.events.expand_array(Gfn{1000}).error(), Errno::einval);
    // vCPU 1 has no control block: its events stay pending and hurt nobody.
    ASSERT_TRUE(a.events.expand_array(array_gfn).ok());
    const EvtPort nowhere = ipi(a, 1);
    ASSERT_TRUE(a.events.send(nowhere).ok());
    EXPECT_EQ(word(a, nowhere), pending);
}

TEST_F(EventFifoTest, ResetGivesTheFramesBack) {
    Domain& a = make_fifo_domain(1);
    ASSERT_TRUE(a.events.send(ipi(a)).ok());
    const Frame& frame = frame_of(a.physmap.lookup(array_gfn).mfn);
    EXPECT_EQ(frame.references, 2u);
    ASSERT_EQ(a.events.reset(), Progress::done);
    EXPECT_EQ(frame.references, 1u);
    EXPECT_FALSE(a.events.uses_fifo());
    const EvtPort port = ipi(a);
    ASSERT_TRUE(a.events.send(port).ok());
    EXPECT_TRUE(*a.events.is_pending(port));
    ASSERT_EQ(a.events.reset(), Progress::done);
    ASSERT_TRUE(a.events.init_control(VcpuId{0}, control_gfn, 64).ok()) << "and may be set up anew";
}

TEST_F(EventFifoTest, APortIsNotUsedAgainWhileItIsInAQueue) {
    Domain& a = make_fifo_domain(1);
    const EvtPort port = ipi(a);
    ASSERT_TRUE(a.events.send(port).ok());
    ASSERT_TRUE(a.events.close(port).ok());
    EXPECT_EQ(word(a, port), linked);
    const EvtPort other = ipi(a);
    EXPECT_NE(other, port);
    EXPECT_EQ(take(a), std::vector<u32>{}) << "taken out and ignored";
    EXPECT_EQ(ipi(a), port);
}

TEST_F(EventFifoTest, AGuestThatScribblesOnWordsHurtsOnlyItself) {
    Domain& a = make_fifo_domain(1, 2);
    std::vector<EvtPort> ports;
    for (unsigned i = 0; i < 8; ++i) ports.push_back(ipi(a, i % 2));
    // Every combination of flag bits, self-links, loops and ports that don't exist, in the word and in its queue's tail.
    for (u32 flags = 0; flags < 16; ++flags) {
        for (u32 link : {0u, 1u, ports[0].raw, ports[3].raw, 0x1ffffu}) {
            for (EvtPort victim : ports) {
                word(a, victim) = flags << 28 | link;
                control(a, 0).ready = control(a, 1).ready = flags * 0x1111;
                control(a, 0).head[7] = control(a, 1).head[7] = link;
                for (EvtPort port : ports) {
                    ASSERT_TRUE(a.events.send(port).ok());
                    ASSERT_TRUE(a.events.unmask(port).ok());
                }
            }
        }
    }
    for (EvtPort port : ports) ASSERT_TRUE(a.events.close(port).ok());
}

TEST_F(EventFifoTest, AWordThatChangesAllTheTimeEndsTheHypervisorsPatience) {
    Domain& a = make_fifo_domain(1);
    const EvtPort tail = ipi(a), next = ipi(a);
    std::atomic<bool> stop{false};
    std::thread guest([&, &event = word(a, tail)] {
        for (u32 i = 0; !stop; ++i) __atomic_store_n(&event, linked | (i & 1 ? busy : 0) | (i & 0xffff), __ATOMIC_RELAXED);
    });
    for (unsigned i = 0; i < 20'000; ++i) {
        __atomic_fetch_and(&word(a, next), ~(linked | pending), __ATOMIC_SEQ_CST);
        ASSERT_TRUE(a.events.send(tail).ok());
        ASSERT_TRUE(a.events.send(next).ok());  // returns, whatever the guest does
    }
    stop = true;
    guest.join();
}

TEST_F(EventFifoTest, ManySendersOneGuestNothingLost) {
    Domain& a = make_fifo_domain(1);
    Domain& b = make_domain(2);
    constexpr unsigned senders = 3, rounds = 3000;
    std::vector<EvtPort> theirs;
    std::map<u32, unsigned> index;
    for (unsigned i = 0; i < senders; ++i) {
        const EvtPort mine = *a.events.alloc_unbound(b.id);
        index[mine.raw] = i;
        theirs.push_back(*b.events.bind_interdomain(a, mine));
    }
    // Each sender waits until its event was taken before it sends the next: any lost one stops the test.
    std::array<std::atomic<u32>, senders> taken{};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < senders; ++i) {
        threads.emplace_back([&, i] {
            arch::host_become_cpu(CpuId{i + 1});
            for (unsigned round = 0; round < rounds; ++round) {
                (void)b.events.send(theirs[i]).ok();
                while (taken[i] == round) std::this_thread::yield();
            }
        });
    }
    // The guest, with the atomic operations of a real one.
    std::array<u32, 16> heads{};
    unsigned total = 0;
    while (total < senders * rounds) {
        __atomic_store_n(&a.vcpu(VcpuId{0})->info().evtchn_upcall_pending, u8{0}, __ATOMIC_SEQ_CST);
        u32 ready = __atomic_exchange_n(&control(a).ready, 0u, __ATOMIC_SEQ_CST);
        while (ready != 0) {
            if (heads[7] == 0) heads[7] = __atomic_load_n(&control(a).head[7], __ATOMIC_SEQ_CST);
            const u32 port = heads[7];
            u32& event = word(a, EvtPort{port});
            u32 old = __atomic_load_n(&event, __ATOMIC_SEQ_CST);
            while (!__atomic_compare_exchange_n(&event, &old, old & ~(linked | 0x1ffffu), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
            heads[7] = old & 0x1ffff;
            if (heads[7] == 0) ready = __atomic_exchange_n(&control(a).ready, 0u, __ATOMIC_SEQ_CST);
            if ((__atomic_fetch_and(&event, ~pending, __ATOMIC_SEQ_CST) & pending) == 0) continue;
            ++taken[index.at(port)];
            ++total;
        }
        std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(EventFifoTest, ADomainDiesWithQueuesFull) {
    Domain& a = make_fifo_domain(1);
    for (unsigned i = 0; i < 100; ++i) ASSERT_TRUE(a.events.send(ipi(a)).ok());
    kill(1);
    EXPECT_EQ(find_domain(DomId{1}).error(), Errno::esrch) << "its own frames don't keep it";
}

}  // namespace
}  // namespace px
