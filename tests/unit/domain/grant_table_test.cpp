// Grant tables: entries, pins, mappings, copies, versions, and the end of either side.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <thread>

#include "arch/host/tlb.hpp"
#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

using abi::GntStatus;
using abi::GnttabOp;
namespace gntmap = abi::gntmap;
namespace gtf = abi::gtf;

constexpr u64 host_address = 0x200000;
constexpr Gfn host_gfn{host_address >> page_shift};

class GrantTableTest : public World {
protected:
    static abi::GrantEntryV1& v1(Domain& domain, u32 ref) {
        return static_cast<abi::GrantEntryV1*>(to_virtual(*domain.grants.frame_for_mapping(ref / 512, false)))[ref % 512];
    }
    static abi::GrantEntryV2& v2(Domain& domain, u32 ref) {
        return static_cast<abi::GrantEntryV2*>(to_virtual(*domain.grants.frame_for_mapping(ref / 256, false)))[ref % 256];
    }
    static u16& v2_status(Domain& domain, u32 ref) {
        return static_cast<u16*>(to_virtual(*domain.grants.frame_for_mapping(ref / 2048, true)))[ref % 2048];
    }
    static void grant(Domain& granter, u32 ref, u16 to, Gfn gfn, u16 flags = gtf::permit_access) {
        v1(granter, ref) = {flags, to, static_cast<u32>(gfn.raw)};
    }
    static GntStatus map_error(Domain& mapper, Domain& granter, u32 ref, u32 flags = gntmap::host_map) {
        const auto mapping = mapper.grants.map(granter, GrantRef{ref}, host_address, flags);
        return mapping ? GntStatus::okay : mapping.error();
    }
    static DomainSettings without_physmap() {
        DomainSettings chosen = settings();
        chosen.hvm = chosen.hap = false;
        return chosen;
    }
    static Vcpu& vcpu(Domain& domain) { return *domain.vcpu(VcpuId{0}); }
    template <class Op>
    static i64 run(Domain& caller, GnttabOp op, Op* ops, u64 count = 1) {
        return call(hypercall_grant_table_op, vcpu(caller), static_cast<u64>(op), ops, count);
    }
};

TEST_F(GrantTableTest, AMappingShowsTheGrantersPage) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    const auto mapping = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map);
    ASSERT_TRUE(mapping.ok());
    const GfnEntry entry = b.physmap.lookup(host_gfn);
    EXPECT_EQ(entry.mfn, a.physmap.lookup(Gfn{5}).mfn);
    EXPECT_EQ(entry.type, GfnType::grant_writable);
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access | gtf::reading | gtf::writing);
    EXPECT_EQ(b.grants.mapped(), 1u);

    EXPECT_EQ(arch::host_translate(b, host_gfn).mfn, entry.mfn);
    ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    EXPECT_EQ(arch::host_translate(b, host_gfn).type, GfnType::invalid) << "flushed, or this panics";
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access);
    EXPECT_EQ(frame_of(entry.mfn).references, 1u);
    EXPECT_EQ(b.grants.unmap(mapping->handle, host_address, 0).error(), GntStatus::bad_handle);
}

TEST_F(GrantTableTest, ReadersAndWritersAreNotedEachForItself) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    const auto reader = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map | gntmap::readonly);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(b.physmap.lookup(host_gfn).type, GfnType::grant_read_only);
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access | gtf::reading);
    const auto writer = b.grants.map(a, GrantRef{9}, host_address + page_size, gntmap::host_map);
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access | gtf::reading | gtf::writing);
    ASSERT_TRUE(b.grants.unmap(writer->handle, host_address + page_size, 0).ok());
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access | gtf::reading);
    ASSERT_TRUE(b.grants.unmap(reader->handle, host_address, 0).ok());
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access);
}

TEST_F(GrantTableTest, WhatIsNotGrantedIsRefused) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    make_domain(3);
    grant(a, 0, 3, Gfn{5});
    grant(a, 1, 2, Gfn{5}, gtf::permit_access | gtf::readonly);
    grant(a, 2, 2, Gfn{5}, gtf::invalid);
    grant(a, 3, 2, Gfn{5}, gtf::accept_transfer);
    grant(a, 4, 2, Gfn{9999});
    EXPECT_EQ(map_error(b, a, 0), GntStatus::general_error);
    EXPECT_EQ(map_error(b, a, 1), GntStatus::general_error);
    EXPECT_EQ(map_error(b, a, 2), GntStatus::general_error);
    EXPECT_EQ(map_error(b, a, 3), GntStatus::general_error);
    EXPECT_EQ(map_error(b, a, 4), GntStatus::bad_page);
    EXPECT_EQ(map_error(b, a, 512), GntStatus::bad_gntref);
    EXPECT_EQ(map_error(b, a, ~0u), GntStatus::bad_gntref);
    EXPECT_EQ(map_error(b, a, 1, gntmap::readonly), GntStatus::bad_gntref) << "neither host nor device";
    EXPECT_EQ(map_error(b, a, 1, gntmap::host_map | gntmap::contains_pte), GntStatus::general_error);
    EXPECT_EQ(map_error(b, a, 1, gntmap::host_map | gntmap::readonly), GntStatus::okay);
    // None of the refused left a trace.
    EXPECT_EQ(v1(a, 0).flags, gtf::permit_access);
    EXPECT_EQ(v1(a, 4).flags, gtf::permit_access);
    EXPECT_EQ(b.grants.mapped(), 1u);
}

TEST_F(GrantTableTest, AGrantKeepsItsMeaningWhileItIsPinned) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    Domain& c = make_domain(3);
    grant(a, 9, 2, Gfn{5});
    const auto first = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map | gntmap::readonly);
    ASSERT_TRUE(first.ok());
    grant(a, 9, 3, Gfn{6});  // the guest breaks the rules
    EXPECT_EQ(map_error(c, a, 9), GntStatus::general_error) << "pinned for another domain";
    const auto second = b.grants.map(a, GrantRef{9}, host_address + page_size, gntmap::host_map | gntmap::readonly);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second->mfn, first->mfn);
    grant(a, 9, 2, Gfn{6});
    EXPECT_EQ(map_error(b, a, 9), GntStatus::general_error) << "writing would mean another frame";
    EXPECT_EQ(v1(a, 9).flags & gtf::writing, 0);
}

TEST_F(GrantTableTest, ADomainCannotLendWhatItBorrowed) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    Domain& c = make_domain(3);
    grant(a, 9, 2, Gfn{5});
    ASSERT_EQ(map_error(b, a, 9), GntStatus::okay);
    grant(b, 0, 3, host_gfn);
    EXPECT_EQ(map_error(c, b, 0), GntStatus::bad_page);
}

TEST_F(GrantTableTest, HostAndDeviceMappingsEndTogether) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    const auto mapping = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map | gntmap::device_map);
    ASSERT_TRUE(mapping.ok());
    const u64 bus = to_paddr(mapping->mfn).raw;
    EXPECT_EQ(b.grants.unmap(mapping->handle, host_address + page_size, 0).error(), GntStatus::general_error);
    EXPECT_EQ(b.grants.unmap(mapping->handle, 0, bus + page_size).error(), GntStatus::bad_dev_addr);
    ASSERT_TRUE(b.grants.unmap(mapping->handle, 0, 0).ok()) << "nothing asked, nothing done";
    ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    EXPECT_NE(v1(a, 9).flags & gtf::reading, 0) << "the device has it still";
    ASSERT_TRUE(b.grants.unmap(mapping->handle, 0, bus).ok());
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access);
}

TEST_F(GrantTableTest, AGuestThatReplacesItsMappingMayStillUnmapIt) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    const auto mapping = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map);
    ASSERT_TRUE(mapping.ok());
    ASSERT_TRUE(b.physmap.remove(host_gfn).ok());
    add_page(b, host_gfn);
    ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    EXPECT_EQ(b.physmap.lookup(host_gfn).type, GfnType::ram) << "what is there now isn't touched";
}

TEST_F(GrantTableTest, HandlesRunOut) {
    DomainSettings small = settings();
    small.max_maptrack_frames = 1;
    Domain& a = make_domain(1);
    Domain& b = make_domain(2, small);
    grant(a, 9, 2, Gfn{5});
    std::vector<u32> handles;
    for (;;) {
        const auto mapping = b.grants.map(a, GrantRef{9}, host_address + handles.size() * page_size, gntmap::host_map);
        if (!mapping) {
            EXPECT_EQ(mapping.error(), GntStatus::no_space);
            break;
        }
        handles.push_back(mapping->handle);
    }
    EXPECT_GE(handles.size(), 100u);
    ASSERT_TRUE(b.grants.unmap(handles[7], host_address + 7 * page_size, 0).ok());
    const auto again = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->handle, handles[7]);
    EXPECT_EQ(b.grants.unmap(5000, host_address, 0).error(), GntStatus::bad_handle);
}

TEST_F(GrantTableTest, TheMapperDies) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    for (u32 i = 0; i < 20; ++i) {
        grant(a, i, 2, Gfn{i});
        ASSERT_TRUE(b.grants.map(a, GrantRef{i}, host_address + i * page_size, gntmap::host_map).ok());
    }
    kill(2);
    for (u32 i = 0; i < 20; ++i) {
        EXPECT_EQ(v1(a, i).flags, gtf::permit_access);
        EXPECT_EQ(frame_of(a.physmap.lookup(Gfn{i}).mfn).references, 1u);
    }
}

TEST_F(GrantTableTest, TheGranterDiesWhileMapped) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    *page(a, Gfn{5}) = 42;
    const auto mapping = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map);
    ASSERT_TRUE(mapping.ok());
    kill(1);
    ASSERT_TRUE(find_domain(DomId{1}).ok()) << "a zombie: its frame is in use";
    EXPECT_EQ(*page(b, host_gfn), 42);
    EXPECT_EQ(map_error(b, **find_domain(DomId{1}), 9), GntStatus::bad_gntref) << "nothing new is granted";
    EXPECT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    EXPECT_EQ(find_domain(DomId{1}).error(), Errno::esrch);
}

TEST_F(GrantTableTest, BothDieGranterFirst) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    ASSERT_EQ(map_error(b, a, 9), GntStatus::okay);
    kill(1);
    kill(2);
    EXPECT_EQ(find_domain(DomId{1}).error(), Errno::esrch);
}

// ---- Size and version.

TEST_F(GrantTableTest, TheTableGrowsToItsMaximum) {
    DomainSettings small = settings();
    small.max_grant_frames = 3;
    Domain& a = make_domain(1, small);
    EXPECT_TRUE(a.grants.grow(2).ok());
    EXPECT_EQ(a.grants.frame_count(), 2u);
    EXPECT_TRUE(a.grants.frame_for_mapping(2, false).ok());
    EXPECT_EQ(a.grants.frame_for_mapping(3, false).error(), Errno::einval);
    EXPECT_EQ(a.grants.grow(4).error(), Errno::einval);
    EXPECT_EQ(a.grants.frame_for_mapping(0, true).error(), Errno::einval) << "version 1 has no status words";
    EXPECT_EQ(a.grants.resource_frame(2, 0).error(), Errno::einval);
    EXPECT_EQ(*a.grants.resource_frame(0, 1), *a.grants.frame_for_mapping(1, false));
    DomainSettings none = settings();
    none.max_grant_frames = 0;
    EXPECT_EQ(Domain::create(DomId{9}, none).error(), Errno::einval);
}

TEST_F(GrantTableTest, ATableFrameThatIsMappedElsewhereOutlivesTheKill) {
    Domain& a = make_domain(1);
    Domain& tools = make_domain(2);
    Frame& frame = frame_of(*a.grants.frame_for_mapping(0, false));
    ASSERT_TRUE(try_get_frame(frame, &a));
    ASSERT_TRUE(tools.physmap.add_foreign(host_gfn, FrameRef(frame), GfnType::foreign).ok());
    kill(1);
    EXPECT_TRUE(find_domain(DomId{1}).ok());
    ASSERT_TRUE(tools.physmap.remove(host_gfn).ok());
    EXPECT_EQ(find_domain(DomId{1}).error(), Errno::esrch);
}

TEST_F(GrantTableTest, VersionTwoKeepsUseInStatusWords) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    ASSERT_TRUE(a.grants.set_version(2).ok());
    ASSERT_TRUE(a.grants.grow(9).ok());
    EXPECT_EQ(a.grants.status_frame_count(), 2u);
    v2(a, 2100).full_page = {{gtf::permit_access, 2}, 0, 5};
    const auto mapping = b.grants.map(a, GrantRef{2100}, host_address, gntmap::host_map);
    ASSERT_TRUE(mapping.ok());
    EXPECT_EQ(v2(a, 2100).hdr.flags, gtf::permit_access);
    EXPECT_EQ(v2_status(a, 2100), gtf::reading | gtf::writing);
    ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    EXPECT_EQ(v2_status(a, 2100), 0);
    v2(a, 3).full_page = {{gtf::transitive, 2}, 0, 5};
    EXPECT_EQ(map_error(b, a, 3), GntStatus::general_error);
    v2(a, 4).full_page = {{gtf::permit_access | gtf::readonly, 2}, 0, 5};
    EXPECT_EQ(map_error(b, a, 4), GntStatus::general_error);
    EXPECT_EQ(v2_status(a, 4), 0);
}

TEST_F(GrantTableTest, ChangingTheVersionKeepsTheToolstacksEntries) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 1, 2, Gfn{5});
    grant(a, 8, 2, Gfn{6});
    const auto mapping = b.grants.map(a, GrantRef{1}, host_address, gntmap::host_map);
    ASSERT_TRUE(mapping.ok());
    ASSERT_TRUE(a.grants.set_version(2).ok());
    EXPECT_EQ(v2(a, 1).hdr.flags, gtf::permit_access);
    EXPECT_EQ(v2(a, 1).hdr.domid, 2);
    EXPECT_EQ(v2(a, 1).full_page.frame, 5u);
    EXPECT_EQ(v2_status(a, 1), gtf::reading | gtf::writing);
    EXPECT_EQ(v2(a, 8).hdr.flags, 0) << "what isn't reserved is cleared";
    ASSERT_TRUE(a.grants.set_version(1).ok());
    EXPECT_EQ(v1(a, 1).flags, gtf::permit_access | gtf::reading | gtf::writing);
    ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    EXPECT_EQ(v1(a, 1).flags, gtf::permit_access);

    grant(a, 8, 2, Gfn{6});
    const auto ordinary = b.grants.map(a, GrantRef{8}, host_address, gntmap::host_map);
    ASSERT_TRUE(ordinary.ok());
    EXPECT_EQ(a.grants.set_version(2).error(), Errno::ebusy);
    ASSERT_TRUE(b.grants.unmap(ordinary->handle, host_address, 0).ok());
    ASSERT_TRUE(a.grants.set_version(2).ok());
    v2(a, 0).full_page = {{gtf::permit_access, 2}, 0, u64{1} << 32};
    EXPECT_EQ(a.grants.set_version(1).error(), Errno::erange);
    EXPECT_EQ(a.grants.set_version(3).error(), Errno::einval);
    DomainSettings old = settings();
    old.max_grant_version = 1;
    EXPECT_EQ(make_domain(3, old).grants.set_version(2).error(), Errno::enosys);
}

TEST_F(GrantTableTest, SwapExchangesWhatIsNotInUse) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 3, 2, Gfn{5});
    grant(a, 4, 2, Gfn{6});
    ASSERT_TRUE(a.grants.swap(GrantRef{3}, GrantRef{4}).ok());
    EXPECT_EQ(v1(a, 3).frame, 6u);
    EXPECT_EQ(a.grants.swap(GrantRef{3}, GrantRef{512}).error(), GntStatus::bad_gntref);
    ASSERT_EQ(map_error(b, a, 3), GntStatus::okay);
    EXPECT_EQ(a.grants.swap(GrantRef{3}, GrantRef{4}).error(), GntStatus::eagain);
}

TEST_F(GrantTableTest, AGuestThatTurnsItsEntryWhileItIsClaimed) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    std::atomic<bool> stop{false};
    std::thread guest([&, &entry = v1(a, 9)] {
        for (u32 i = 0; !stop; ++i) {
            __atomic_store_n(reinterpret_cast<u32*>(&entry), u32{gtf::permit_access} | (i & 1 ? 2u : 3u) << 16, __ATOMIC_RELAXED);
            __atomic_store_n(&entry.frame, i & 1 ? 5u : 70'000u, __ATOMIC_RELAXED);
        }
    });
    for (unsigned i = 0; i < 5000; ++i) {
        const auto mapping = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map);
        if (!mapping) continue;
        ASSERT_EQ(mapping->mfn, a.physmap.lookup(Gfn{5}).mfn) << "never anything that wasn't granted";
        ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0).ok());
    }
    stop = true;
    guest.join();
    EXPECT_EQ(frame_of(a.physmap.lookup(Gfn{5}).mfn).references, 1u);
}

// ---- Copies.

abi::GnttabCopy copy_from_grant(u16 granter, u32 ref, u16 from, Gfn to_gfn, u16 to, u16 length) {
    abi::GnttabCopy op{};
    op.source.u.ref = ref;
    op.source.domid = granter;
    op.source.offset = from;
    op.dest.u.gmfn = to_gfn.raw;
    op.dest.domid = abi::domid::self;
    op.dest.offset = to;
    op.len = length;
    op.flags = abi::gntcopy::source_gref;
    op.status = 77;
    return op;
}

TEST_F(GrantTableTest, CopyBothWays) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    std::memcpy(page(a, Gfn{5}) + 100, "from a", 6);
    abi::GnttabCopy ops[2] = {copy_from_grant(1, 9, 100, Gfn{7}, 50, 6), {}};
    std::swap(ops[1].source, ops[0].source);
    ops[0].source = copy_from_grant(1, 9, 100, Gfn{7}, 50, 6).source;
    ops[1].source.u.gmfn = 7;
    ops[1].source.domid = abi::domid::self;
    ops[1].source.offset = 50;
    ops[1].dest.u.ref = 9;
    ops[1].dest.domid = 1;
    ops[1].dest.offset = 4090;
    ops[1].len = 6;
    ops[1].flags = abi::gntcopy::dest_gref;
    ASSERT_EQ(run(b, GnttabOp::copy, ops, 2), 0);
    EXPECT_EQ(ops[0].status, 0);
    EXPECT_EQ(ops[1].status, 0);
    EXPECT_EQ(std::memcmp(page(b, Gfn{7}) + 50, "from a", 6), 0);
    EXPECT_EQ(std::memcmp(page(a, Gfn{5}) + 4090, "from a", 6), 0);
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access) << "nothing stays pinned";
}

TEST_F(GrantTableTest, CopyErrorsAreEachElementsOwn) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5}, gtf::permit_access | gtf::readonly);
    std::vector<abi::GnttabCopy> ops(9, copy_from_grant(1, 9, 0, Gfn{7}, 0, 8));
    ops[1].len = 4096 - 4, ops[1].dest.offset = 5;
    ops[2].source.offset = 4095, ops[2].len = 2;
    ops[3].source.domid = 33;
    ops[4].source.u.ref = 10;
    ops[5].dest.u.gmfn = 5000;
    ops[6].flags = 0, ops[6].source.u.gmfn = 5;  // a frame of another domain by its number
    ops[7].flags = abi::gntcopy::dest_gref, ops[7].source.domid = abi::domid::self, ops[7].source.u.gmfn = 7;
    ops[7].dest.domid = 1, ops[7].dest.u.ref = 9;  // read-only
    ASSERT_EQ(run(b, GnttabOp::copy, ops.data(), ops.size()), 0);
    const auto expect = [&](usize i, GntStatus status) { EXPECT_EQ(ops[i].status, static_cast<i16>(status)) << i; };
    expect(0, GntStatus::okay);
    expect(1, GntStatus::bad_copy_arg);
    expect(2, GntStatus::bad_copy_arg);
    expect(3, GntStatus::bad_domain);
    expect(4, GntStatus::general_error);
    expect(5, GntStatus::bad_page);
    expect(6, GntStatus::permission_denied);
    expect(7, GntStatus::general_error);
    expect(8, GntStatus::okay);
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access | gtf::readonly);
}

TEST_F(GrantTableTest, SubPageGrantsBoundTheCopy) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    ASSERT_TRUE(a.grants.set_version(2).ok());
    v2(a, 9).sub_page = {{gtf::permit_access | gtf::sub_page, 2}, 100, 50, 5};
    EXPECT_EQ(map_error(b, a, 9), GntStatus::general_error) << "copies only";
    std::vector<abi::GnttabCopy> ops;
    ops.push_back(copy_from_grant(1, 9, 100, Gfn{7}, 0, 50));
    ops.push_back(copy_from_grant(1, 9, 99, Gfn{7}, 0, 1));
    ops.push_back(copy_from_grant(1, 9, 101, Gfn{7}, 0, 50));
    ASSERT_EQ(run(b, GnttabOp::copy, ops.data(), ops.size()), 0);
    EXPECT_EQ(ops[0].status, 0);
    EXPECT_EQ(ops[1].status, static_cast<i16>(GntStatus::general_error));
    EXPECT_EQ(ops[2].status, static_cast<i16>(GntStatus::general_error));
    v2(a, 9).sub_page.length = 4000;  // beyond the page's end
    ops.assign(1, copy_from_grant(1, 9, 100, Gfn{7}, 0, 50));
    ASSERT_EQ(run(b, GnttabOp::copy, ops.data(), 1), 0);
    EXPECT_EQ(ops[0].status, static_cast<i16>(GntStatus::general_error));
    EXPECT_EQ(v2_status(a, 9), 0);
}

// ---- The hypercall.

TEST_F(GrantTableTest, BatchesAreInterruptedAndGoOn) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    std::vector<abi::GnttabMapGrantRef> ops(20);
    for (u32 i = 0; i < ops.size(); ++i) {
        grant(a, i, 2, Gfn{i});
        ops[i] = {host_address + i * page_size, gntmap::host_map, i, 1, 77, 0, 0};
    }
    arch::host_become_vcpu(&vcpu(b));
    arch::host_guest_memory(ops.data(), ops.size() * sizeof(ops[0]));
    HypercallArgs args{{static_cast<u64>(GnttabOp::map_grant_ref), reinterpret_cast<u64>(ops.data()), ops.size(), 0, 0}};
    unsigned parts = 0;
    for (bool again = true; again; ++parts) {
        raise_softirq(Softirq::schedule);
        const auto reply = hypercall_grant_table_op(vcpu(b), args);
        ASSERT_TRUE(reply.ok());
        again = reply->again();
        EXPECT_EQ(args[2], again ? ops.size() - parts - 1 : 1u);
    }
    this_cpu().softirqs.store(0);
    arch::host_become_vcpu(nullptr);
    EXPECT_EQ(parts, ops.size()) << "progress each time, one element at least";
    for (const auto& op : ops) EXPECT_EQ(op.status, 0);
    EXPECT_EQ(b.grants.mapped(), ops.size());
    std::vector<abi::GnttabUnmapGrantRef> unmaps;
    for (const auto& op : ops) unmaps.push_back({op.host_addr, 0, op.handle, 77});
    ASSERT_EQ(run(b, GnttabOp::unmap_grant_ref, unmaps.data(), unmaps.size()), 0);
    for (const auto& op : unmaps) EXPECT_EQ(op.status, 0);
    EXPECT_EQ(b.grants.mapped(), 0u);
}

TEST_F(GrantTableTest, ABatchOfUnmapsFlushesOncePerFullBatch) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    std::vector<abi::GnttabMapGrantRef> maps(40);
    for (u32 i = 0; i < maps.size(); ++i) {
        grant(a, i, 2, Gfn{i});
        maps[i] = {host_address + i * page_size, gntmap::host_map, i, 1, 77, 0, 0};
    }
    const u64 flushes = b.arch.flushes;
    ASSERT_EQ(run(b, GnttabOp::map_grant_ref, maps.data(), maps.size()), 0);
    EXPECT_EQ(b.arch.flushes, flushes) << "nothing was there before";
    for (u64 i = 0; i < maps.size(); ++i) (void)arch::host_translate(b, host_gfn + i);
    std::vector<abi::GnttabUnmapGrantRef> unmaps;
    for (const auto& op : maps) unmaps.push_back({op.host_addr, 0, op.handle, 77});
    unmaps[7].handle = 5000;
    ASSERT_EQ(run(b, GnttabOp::unmap_grant_ref, unmaps.data(), unmaps.size()), 0);
    EXPECT_EQ(b.arch.flushes, flushes + 2);
    for (u64 i = 0; i < maps.size(); ++i) (void)arch::host_translate(b, host_gfn + i);  // panics on a stale one
    for (u32 i = 0; i < maps.size(); ++i) {
        EXPECT_EQ(unmaps[i].status, static_cast<i16>(i == 7 ? GntStatus::bad_handle : GntStatus::okay));
        EXPECT_EQ(v1(a, i).flags & gtf::reading, i == 7 ? gtf::reading : 0);
    }
    // Mapping over mappings owes a flush as well, once.
    for (auto& op : maps) op.host_addr = host_address + 7 * page_size;
    ASSERT_EQ(run(b, GnttabOp::map_grant_ref, maps.data(), 30), 0);
    EXPECT_EQ(b.arch.flushes, flushes + 3);
    (void)arch::host_translate(b, host_gfn + 7);
}

TEST_F(GrantTableTest, AnUnmapOfABatchCountsFromItsFlushOn) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    grant(a, 9, 2, Gfn{5});
    const auto mapping = b.grants.map(a, GrantRef{9}, host_address, gntmap::host_map);
    ASSERT_TRUE(mapping.ok());
    GrantBatch batch(b);
    ASSERT_TRUE(b.grants.unmap(mapping->handle, host_address, 0, batch).ok());
    EXPECT_NE(v1(a, 9).flags & gtf::reading, 0) << "translations to it may be left";
    EXPECT_GT(frame_of(mapping->mfn).references, 1u);
    batch.finish();
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access);
    EXPECT_EQ(frame_of(mapping->mfn).references, 1u);
}

TEST_F(GrantTableTest, QueriesAndSetup) {
    DomainSettings privileged = settings();
    privileged.control = true;
    Domain& a = make_domain(1);
    Domain& controller = make_domain(2, privileged);
    ASSERT_TRUE(a.grants.frame_for_mapping(0, false, Gfn{0x500}).ok());
    u64 frames[2] = {};
    arch::host_become_vcpu(&vcpu(a));
    abi::GnttabSetupTable setup{abi::domid::self, 2, 77, {reinterpret_cast<u64>(frames)}};
    arch::host_guest_memory(frames, sizeof frames);
    ASSERT_EQ(run(a, GnttabOp::setup_table, &setup), 0);
    EXPECT_EQ(setup.status, 0);
    EXPECT_EQ(frames[0], 0x500u);
    EXPECT_EQ(frames[1], ~u64{0}) << "the guest has it nowhere";
    abi::GnttabQuerySize size{1, 0, 0, 77};
    ASSERT_EQ(run(controller, GnttabOp::query_size, &size), 0);
    EXPECT_EQ(size.nr_frames, 2u);
    EXPECT_EQ(size.max_nr_frames, 64u);
    size = {2, 0, 0, 77};
    ASSERT_EQ(run(a, GnttabOp::query_size, &size), 0);
    EXPECT_EQ(size.status, static_cast<i16>(GntStatus::permission_denied));
    size.dom = 99;
    ASSERT_EQ(run(a, GnttabOp::query_size, &size), 0);
    EXPECT_EQ(size.status, static_cast<i16>(GntStatus::bad_domain));
    setup = {abi::domid::self, 65, 77, {0}};
    ASSERT_EQ(run(a, GnttabOp::setup_table, &setup), 0);
    EXPECT_EQ(setup.status, static_cast<i16>(GntStatus::general_error));
    EXPECT_EQ(run(a, GnttabOp::setup_table, &setup, 2), error(Errno::einval));

    abi::GnttabSetVersion version{2};
    ASSERT_EQ(run(a, GnttabOp::set_version, &version), 0);
    version.version = 5;
    EXPECT_EQ(run(a, GnttabOp::set_version, &version), error(Errno::einval));
    EXPECT_EQ(version.version, 2u) << "told what it has";
    abi::GnttabGetVersion get{abi::domid::self, 0, 0};
    ASSERT_EQ(run(a, GnttabOp::get_version, &get), 0);
    EXPECT_EQ(get.version, 2u);
    get.dom = 2;
    EXPECT_EQ(run(a, GnttabOp::get_version, &get), error(Errno::eperm));
}

TEST_F(GrantTableTest, GuestsWithAPhysmapMapTheirTables) {
    Domain& a = make_domain(1);
    abi::GnttabGetStatusFrames status{1, abi::domid::self, 77, {0}};
    EXPECT_EQ(run(a, GnttabOp::get_status_frames, &status), error(Errno::enosys));
    abi::GnttabDumpTable dump{abi::domid::self, 77};
    EXPECT_EQ(run(a, GnttabOp::dump_table, &dump), error(Errno::enosys));
    abi::GnttabUnmapAndReplace replace{};
    EXPECT_EQ(run(a, GnttabOp::unmap_and_replace, &replace), error(Errno::enosys));
    abi::GnttabTransfer transfer{};
    EXPECT_EQ(run(a, GnttabOp::transfer, &transfer), error(Errno::enosys));

    Domain& pv = make_domain(2, without_physmap());
    abi::GnttabSetVersion version{2};
    ASSERT_EQ(run(pv, GnttabOp::set_version, &version), 0);
    status = {3, abi::domid::self, 77, {0}};
    ASSERT_EQ(run(pv, GnttabOp::get_status_frames, &status), 0);
    EXPECT_EQ(status.status, static_cast<i16>(GntStatus::general_error)) << "more than there are";
    EXPECT_EQ(run(pv, GnttabOp::dump_table, &dump), error(Errno::eperm));
}

TEST_F(GrantTableTest, WhatOnlyPvHasIsRefused) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2, without_physmap());
    grant(a, 9, 2, Gfn{5});
    arch::host_become_vcpu(&vcpu(b));
    EXPECT_EQ(map_error(b, a, 9), GntStatus::general_error) << "no page tables on the build host";
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access) << "given back";
    EXPECT_EQ(b.grants.mapped(), 0u);
    EXPECT_EQ(map_error(b, a, 9, gntmap::device_map), GntStatus::okay) << "that needs none";
    EXPECT_EQ(v1(a, 9).flags, gtf::permit_access | gtf::reading | gtf::writing);
    arch::host_become_vcpu(nullptr);
    abi::GnttabUnmapAndReplace replace{host_address, host_address + page_size, 77, 77};
    ASSERT_EQ(run(b, GnttabOp::unmap_and_replace, &replace), 0);
    EXPECT_EQ(replace.status, static_cast<i16>(GntStatus::bad_handle));
    abi::GnttabTransfer transfer{5, 1, 9, 77};
    ASSERT_EQ(run(b, GnttabOp::transfer, &transfer), 0);
    EXPECT_EQ(transfer.status, static_cast<i16>(GntStatus::bad_page));
    abi::GnttabCacheFlush flush{};
    EXPECT_EQ(run(b, GnttabOp::cache_flush, &flush), error(Errno::enosys));
    EXPECT_EQ(call(hypercall_grant_table_op, vcpu(b), 13, &flush), error(Errno::enosys));
    EXPECT_EQ(call(hypercall_grant_table_op, vcpu(b), 0, &flush, 0), 0);
    HypercallArgs bad{{0, 0x1000, 1, 0, 0}};
    EXPECT_EQ(to_register(hypercall_grant_table_op(vcpu(b), bad)), error(Errno::efault));
    bad[2] = 0x80000000;
    EXPECT_EQ(to_register(hypercall_grant_table_op(vcpu(b), bad)), error(Errno::einval));
}

}  // namespace
}  // namespace px
