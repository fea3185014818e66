// Domains are born and die, ten thousand times, and leave nothing behind.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class DomainLifeTest : public World {
protected:
    /// Makes everything that a domain can have: RAM, FIFO events, a peer, grants mapped both ways.
    void live(u16 id, Domain& peer) {
        Domain& domain = make_domain(id, 2);
        for (u32 vcpu = 0; vcpu < 2; ++vcpu) ASSERT_TRUE(domain.events.init_control(VcpuId{vcpu}, Gfn{10 + vcpu}, 0).ok());
        ASSERT_TRUE(domain.events.expand_array(Gfn{20}).ok());
        const EvtPort port = *domain.events.alloc_unbound(peer.id);
        ASSERT_TRUE(peer.events.bind_interdomain(domain, port).ok());
        ASSERT_TRUE(domain.events.bind_virq(0, VcpuId{1}).ok());
        auto* const entries = static_cast<abi::GrantEntryV1*>(to_virtual(*domain.grants.frame_for_mapping(0, false)));
        entries[8] = {abi::gtf::permit_access, peer.id.raw, 5};
        auto* const peers = static_cast<abi::GrantEntryV1*>(to_virtual(*peer.grants.frame_for_mapping(0, false)));
        peers[8] = {abi::gtf::permit_access, id, 6};
        ASSERT_TRUE(domain.grants.map(peer, GrantRef{8}, 0x200000, abi::gntmap::host_map).ok());
        const auto theirs = peer.grants.map(domain, GrantRef{8}, 0x300000, abi::gntmap::host_map);
        ASSERT_TRUE(theirs.ok());
        kill(id);
        ASSERT_TRUE(find_domain(DomId{id}).ok()) << "the peer has a page of it mapped";
        ASSERT_TRUE(peer.grants.unmap(theirs->handle, 0x300000, 0).ok());
        ASSERT_EQ(find_domain(DomId{id}).error(), Errno::esrch);
        // The peer closes the end that was left to it.
        for (u32 end = 1; end < peer.events.valid_ports(); ++end) (void)peer.events.close(EvtPort{end}).ok();
    }
};

TEST_F(DomainLifeTest, TenThousandDomains) {
    Domain& peer = make_domain(1);
    live(2, peer);  // what the peer makes once, it keeps
    const u64 free = memory_totals().free_frames;
    const auto heap = heap_objects();
    for (unsigned i = 0; i < 10'000; ++i) {
        ASSERT_NO_FATAL_FAILURE(live(static_cast<u16>(2 + i % 1000), peer));
        ASSERT_EQ(memory_totals().free_frames, free) << i;
    }
    EXPECT_EQ(heap_objects(), heap);
}

TEST_F(DomainLifeTest, CreationFailsWholeWhereverMemoryRunsOut) {
    // Take all memory, then give it back frame by frame until a domain can be made: each failure in between leaks nothing.
    std::vector<Mfn> taken;
    while (const auto frame = allocate_frames(0)) taken.push_back(*frame);
    unsigned failures = 0;
    for (;; ++failures) {
        const u64 free = memory_totals().free_frames;
        auto domain = Domain::create(DomId{5}, settings(4));
        if (domain) {
            while ((*domain)->kill() == Progress::more) {}
            break;
        }
        ASSERT_EQ(domain.error(), Errno::enomem);
        ASSERT_EQ(memory_totals().free_frames, free) << "after " << failures << " frames";
        ASSERT_FALSE(taken.empty());
        free_frames(taken.back(), 0);
        taken.pop_back();
    }
    EXPECT_GT(failures, 3u);
    for (Mfn frame : taken) free_frames(frame, 0);
}

TEST_F(DomainLifeTest, AnIdIsTakenUntilTheVeryEnd) {
    Domain& a = make_domain(1);
    EXPECT_EQ(Domain::create(DomId{1}, settings()).error(), Errno::eexist);
    DomainRef zombie(a);
    kill(1);
    EXPECT_EQ(Domain::create(DomId{1}, settings()).error(), Errno::eexist);
    zombie = {};
    make_domain(1);
}

TEST_F(DomainLifeTest, KillIsPreemptible) {
    DomainRef domain(make_domain(1));
    unsigned parts = 0;
    for (Progress progress = Progress::more; progress == Progress::more; ++parts) {
        raise_softirq(Softirq::timer);
        progress = domain->kill();
    }
    this_cpu().softirqs.store(0);
    EXPECT_GE(parts, 64u) << "a page at a time under pressure";
    EXPECT_EQ(domain->memory.frames(), 0u);
}

}  // namespace
}  // namespace px
