// memory_op.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "arch/hypercalls.hpp"
#include "hypervisor/abi/memory.hpp"
#include "tests/unit/hypercall/hypercall_world.hpp"

namespace px {
namespace {

using abi::MapSpace;
using abi::MemoryOp;

class Memory : public HypercallWorld {
protected:
    template <class Op, class... Objects>
    i64 memory(Vcpu& caller, MemoryOp operation, Op& op, Objects&... objects) {
        return invoke(hypercall_memory_op, caller, {{number(operation), address(&op)}}, op, objects...);
    }
    GfnType type_at(Domain& domain, u64 gfn) { return domain.physmap.lookup(Gfn{gfn}).type; }
};

TEST_F(Memory, PopulateAndGiveBack) {
    u64 gfns[3] = {100, 200, 300};
    abi::MemoryReservation op{{address(gfns)}, 3, 0, 0, domid_self.raw};
    const u64 frames = guest_domain().memory.frames();
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 3);
    EXPECT_EQ(guest_domain().memory.frames(), frames + 3);
    EXPECT_EQ(type_at(guest_domain(), 200), GfnType::ram);
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 0);  // something stands there
    EXPECT_EQ(guest_domain().memory.frames(), frames + 3);
    gfns[1] = 201;  // a hole in the middle: it stops there
    EXPECT_EQ(memory(guest(), MemoryOp::decrease_reservation, op, gfns), 1);
    EXPECT_EQ(guest_domain().memory.frames(), frames + 2);
    EXPECT_EQ(type_at(guest_domain(), 100), GfnType::invalid);
}

TEST_F(Memory, LargeExtents) {
    u64 gfns[1] = {512};
    abi::MemoryReservation op{{address(gfns)}, 1, 9, 0, domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 1);
    EXPECT_EQ(type_at(guest_domain(), 1023), GfnType::ram);
    EXPECT_EQ(invoke(hypercall_memory_op, guest(), {{number(MemoryOp::maximum_gpfn), address(&op.domid)}}, op.domid), 1023);
    op.extent_order = 10;  // more than a guest may ask for at once
    gfns[0] = 1024;
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 0);
    op.extent_order = 9;
    gfns[0] = 512;
    EXPECT_EQ(memory(guest(), MemoryOp::decrease_reservation, op, gfns), 1);
    EXPECT_EQ(type_at(guest_domain(), 700), GfnType::invalid);
}

TEST_F(Memory, InterruptedItGoesOnWhereItWas) {
    std::array<u64, 40> gfns;
    for (u64 i = 0; i < gfns.size(); ++i) gfns[i] = 1000 + i;
    abi::MemoryReservation op{{address(gfns.data())}, gfns.size(), 0, 0, domid_self.raw};
    preempt_ = true;
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 40);
    EXPECT_EQ(rounds_, 40u);
    EXPECT_EQ(memory(guest(), MemoryOp::decrease_reservation, op, gfns), 40);
    EXPECT_EQ(rounds_, 40u);
}

TEST_F(Memory, ReservationBadInput) {
    // The reference answers with what was done so far, which is nothing.
    u64 gfns[1] = {100};
    abi::MemoryReservation op{{nowhere}, 1, 0, 0, domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op), 0);
    op = {{address(gfns)}, 1, 0, 0, 1};  // the control domain's
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 0);
    EXPECT_EQ(type_at(control().domain, 100), GfnType::invalid);
    op = {{address(gfns)}, u64{1} << 40, 0, 0, domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 0);
    op = {{address(gfns)}, 1, 40, 0, domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::decrease_reservation, op, gfns), 0);
    guest_domain().memory.set_max_frames(guest_domain().memory.frames());
    op = {{address(gfns)}, 1, 0, 0, domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::populate_physmap, op, gfns), 0);
    EXPECT_EQ(invoke(hypercall_memory_op, guest(), {{63, 0}}), error(Errno::enosys));
    EXPECT_EQ(invoke(hypercall_memory_op, guest(), {{8, 0}}), error(Errno::enosys));
}

TEST_F(Memory, OneToOneMemoryComesBackAtItsPlace) {
    const Mfn home = *allocate_frames(0);
    frame_of(home).references.store(0);
    DomainSettings chosen = settings();
    chosen.one_to_one = true;
    Domain& domain = make_domain(6, chosen);
    domain.memory.adopt(home, 1);
    ASSERT_TRUE(domain.physmap.add_ram(Gfn{home.raw}, home, 0).ok());
    u64 gfns[1] = {home.raw};
    abi::MemoryReservation op{{address(gfns)}, 1, 0, 0, domid_self.raw};
    Vcpu& vcpu = *domain.vcpu(VcpuId{0});
    EXPECT_EQ(memory(vcpu, MemoryOp::populate_physmap, op, gfns), 0);  // it is there
    EXPECT_EQ(memory(vcpu, MemoryOp::decrease_reservation, op, gfns), 1);
    EXPECT_EQ(type_at(domain, home.raw), GfnType::invalid);
    EXPECT_EQ(memory(vcpu, MemoryOp::populate_physmap, op, gfns), 1);
    EXPECT_EQ(domain.physmap.lookup(Gfn{home.raw}).mfn, home);
    gfns[0] = control().domain.physmap.lookup(Gfn{0}).mfn.raw;  // somebody else's: nowhere else may it be
    EXPECT_EQ(memory(vcpu, MemoryOp::populate_physmap, op, gfns), 0);
    gfns[0] = arch::frame_count();
    EXPECT_EQ(memory(vcpu, MemoryOp::populate_physmap, op, gfns), 0);
}

TEST_F(Memory, OneToOneMemoryGrowsWhereTheMachineIsFree) {
    DomainSettings chosen = settings();
    chosen.one_to_one = true;
    Domain& domain = make_domain(6, chosen);
    Vcpu& vcpu = *domain.vcpu(VcpuId{0});
    const Mfn free = *allocate_frames(0);
    std::memset(to_virtual(free), 0x5a, page_size);
    free_frames(free, 0);
    u64 gfns[1] = {free.raw};
    abi::MemoryReservation op{{address(gfns)}, 1, 0, 0, domid_self.raw};
    const u64 frames = domain.memory.frames(), unused = memory_totals().free_frames, tables = domain.physmap.table_frames();
    domain.memory.set_max_frames(frames);
    EXPECT_EQ(memory(vcpu, MemoryOp::populate_physmap, op, gfns), 0) << "no room";
    domain.memory.set_max_frames(frames + 1);
    EXPECT_EQ(memory(vcpu, MemoryOp::populate_physmap, op, gfns), 1);
    EXPECT_EQ(domain.physmap.lookup(Gfn{free.raw}).mfn, free);
    EXPECT_EQ(*static_cast<u8*>(to_virtual(free)), 0) << "nothing of what was there before";
    EXPECT_EQ(memory_totals().free_frames, unused - 1 - (domain.physmap.table_frames() - tables));
    // Given back it is everybody's again.
    EXPECT_EQ(memory(vcpu, MemoryOp::decrease_reservation, op, gfns), 1);
    EXPECT_EQ(domain.memory.frames(), frames);
    EXPECT_EQ(frame_of(free).owner, nullptr);
}

TEST_F(Memory, Questions) {
    abi::MemoryDomain op{domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::current_reservation, op), 64);
    EXPECT_EQ(memory(guest(), MemoryOp::maximum_reservation, op), 4096);
    EXPECT_EQ(memory(guest(), MemoryOp::maximum_gpfn, op), 63);
    op.domid = 1;
    EXPECT_EQ(memory(guest(), MemoryOp::current_reservation, op), error(Errno::eperm));
    EXPECT_EQ(memory(control(), MemoryOp::current_reservation, op), 64);
    op.domid = 99;
    EXPECT_EQ(memory(control(), MemoryOp::current_reservation, op), error(Errno::esrch));
    EXPECT_EQ(invoke(hypercall_memory_op, guest(), {{number(MemoryOp::current_reservation), nowhere}}), error(Errno::efault));
    EXPECT_GT(invoke(hypercall_memory_op, guest(), {{number(MemoryOp::maximum_ram_page), 0}}), 0);
}

TEST_F(Memory, SharedInfoIsPlacedAndMoved) {
    abi::AddToPhysmap op{domid_self.raw, 0, number(MapSpace::shared_info), 0, 10};
    const u64 frames = guest_domain().memory.frames();
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), 0);
    EXPECT_EQ(guest_domain().physmap.lookup(Gfn{10}).mfn, guest_domain().shared_info_mfn());
    EXPECT_EQ(guest_domain().memory.frames(), frames - 1);  // what stood there is given back
    op.gpfn = 500;
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), 0);
    EXPECT_EQ(type_at(guest_domain(), 10), GfnType::invalid);
    EXPECT_EQ(guest_domain().shared_info_gfn, Gfn{500});
    // It can be taken out of its place, but it isn't the guest's to give away.
    u64 gfns[1] = {500};
    abi::MemoryReservation give{{address(gfns)}, 1, 0, 0, domid_self.raw};
    EXPECT_EQ(memory(guest(), MemoryOp::decrease_reservation, give, gfns), 1);
    EXPECT_EQ(frame_of(guest_domain().shared_info_mfn()).references.load(), 1u);
    op.idx = 1;
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), error(Errno::einval));
}

TEST_F(Memory, GrantFramesAndMoves) {
    abi::AddToPhysmap op{domid_self.raw, 0, number(MapSpace::grant_table), 1, 700};
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), 0);
    EXPECT_EQ(guest_domain().grants.frame_count(), 2u);
    EXPECT_EQ(guest_domain().grants.frame_gfn(1, false), Gfn{700});
    op.idx = guest_domain().grants.max_frames();
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), error(Errno::einval));
    op.idx = 0x80000000;  // status frames: version 2 only
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), error(Errno::einval));
    const Mfn mfn = guest_domain().physmap.lookup(Gfn{3}).mfn;
    op = {domid_self.raw, 0, number(MapSpace::gmfn), 3, 800};
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), 0);
    EXPECT_EQ(guest_domain().physmap.lookup(Gfn{800}).mfn, mfn);
    EXPECT_EQ(type_at(guest_domain(), 3), GfnType::invalid);
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), error(Errno::einval));  // nothing is left there
    op = {domid_self.raw, 4, number(MapSpace::gmfn_range), 20, 900};
    preempt_ = true;
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), 0);
    EXPECT_EQ(type_at(guest_domain(), 903), GfnType::ram);
    op.space = number(MapSpace::gmfn_foreign);
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), error(Errno::enosys));
    op = {1, 0, number(MapSpace::shared_info), 0, 10};
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap, op), error(Errno::eperm));
}

TEST_F(Memory, ForeignFrames) {
    u64 indices[3] = {5, 9999, 6}, places[3] = {1000, 1001, 1002};
    i32 errors[3] = {1, 1, 1};
    abi::AddToPhysmapBatch op{
        domid_self.raw,   static_cast<u16>(number(MapSpace::gmfn_foreign)), 3, {.foreign_domid = 2}, {address(indices)}, {address(places)},
        {address(errors)}};
    preempt_ = true;
    EXPECT_EQ(memory(control(), MemoryOp::add_to_physmap_batch, op, indices, places, errors), 0);
    EXPECT_THAT(errors, ::testing::ElementsAre(0, -static_cast<i32>(Errno::einval), 0));
    EXPECT_EQ(control().domain.physmap.lookup(Gfn{1002}).mfn, guest_domain().physmap.lookup(Gfn{6}).mfn);
    EXPECT_EQ(type_at(control().domain, 1000), GfnType::foreign);
    // The other way round it isn't allowed.
    op.u.foreign_domid = 1;
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap_batch, op, indices, places, errors), 0);
    EXPECT_EQ(errors[0], -static_cast<i32>(Errno::eperm));
    op.u.foreign_domid = 2;
    EXPECT_EQ(memory(guest(), MemoryOp::add_to_physmap_batch, op, indices, places, errors), 0);
    EXPECT_EQ(errors[0], -static_cast<i32>(Errno::einval));  // itself
    abi::RemoveFromPhysmap remove{domid_self.raw, 1000};
    EXPECT_EQ(memory(control(), MemoryOp::remove_from_physmap, remove), 0);
    EXPECT_EQ(memory(control(), MemoryOp::remove_from_physmap, remove), error(Errno::enoent));
    op.space = static_cast<u16>(number(MapSpace::gmfn_range));
    EXPECT_EQ(memory(control(), MemoryOp::add_to_physmap_batch, op, indices, places, errors), error(Errno::eopnotsupp));
}

TEST_F(Memory, SharedInfoOutlivesItsDomainWhileMapped) {
    Domain& victim = make_domain(7);
    abi::AddToPhysmap place{7, 0, number(MapSpace::shared_info), 0, 500};
    EXPECT_EQ(memory(control(), MemoryOp::add_to_physmap, place), 0);
    const Mfn mfn = victim.shared_info_mfn();
    u64 indices[1] = {500}, places[1] = {1000};
    i32 errors[1];
    abi::AddToPhysmapBatch op{
        domid_self.raw,   static_cast<u16>(number(MapSpace::gmfn_foreign)), 1, {.foreign_domid = 7}, {address(indices)}, {address(places)},
        {address(errors)}};
    EXPECT_EQ(memory(control(), MemoryOp::add_to_physmap_batch, op, indices, places, errors), 0);
    EXPECT_EQ(errors[0], 0);
    kill(7);
    EXPECT_TRUE(first_domain_from(DomId{7}).ok());  // a zombie
    EXPECT_EQ(frame_of(mfn).references.load(), 1u);
    abi::RemoveFromPhysmap remove{domid_self.raw, 1000};
    EXPECT_EQ(memory(control(), MemoryOp::remove_from_physmap, remove), 0);
    EXPECT_EQ(first_domain_from(DomId{7}).error(), Errno::esrch);
}

TEST_F(Memory, AcquireResource) {
    abi::MemAcquireResource op{2, number(abi::ResourceType::grant_table), 0, 0, 0, 0, {0}};
    EXPECT_EQ(memory(control(), MemoryOp::acquire_resource, op), 0);
    EXPECT_EQ(op.nr_frames, guest_domain().grants.max_frames());
    u64 gfns[2] = {600, 601};
    op.nr_frames = 2;
    op.frame_list.address = address(gfns);
    preempt_ = true;
    EXPECT_EQ(memory(control(), MemoryOp::acquire_resource, op, gfns), 0);
    EXPECT_EQ(control().domain.physmap.lookup(Gfn{601}).mfn, *guest_domain().grants.resource_frame(0, 1));
    op.frame = guest_domain().grants.max_frames() - 1;
    EXPECT_EQ(memory(control(), MemoryOp::acquire_resource, op, gfns), error(Errno::einval));
    op.frame = 0;
    EXPECT_EQ(memory(guest(), MemoryOp::acquire_resource, op, gfns), error(Errno::eacces));
    op.pad = 1;
    EXPECT_EQ(memory(control(), MemoryOp::acquire_resource, op, gfns), error(Errno::einval));
    op.pad = 0;
    op.type = number(abi::ResourceType::vmtrace_buf);
    EXPECT_EQ(memory(control(), MemoryOp::acquire_resource, op, gfns), error(Errno::einval));
    op.type = number(abi::ResourceType::grant_table);
    op.id = 2;
    EXPECT_EQ(memory(control(), MemoryOp::acquire_resource, op, gfns), error(Errno::einval));
}

TEST_F(Memory, Claims) {
    abi::MemoryReservation op{{0}, 100, 0, 0, 2};
    EXPECT_EQ(memory(guest(), MemoryOp::claim_pages, op), error(Errno::eperm));
    EXPECT_EQ(memory(control(), MemoryOp::claim_pages, op), 0);
    EXPECT_EQ(outstanding_claims(), 36u);  // 64 it has
    op.nr_extents = 0;
    EXPECT_EQ(memory(control(), MemoryOp::claim_pages, op), 0);
    EXPECT_EQ(outstanding_claims(), 0u);
    op.extent_order = 1;
    EXPECT_EQ(memory(control(), MemoryOp::claim_pages, op), error(Errno::einval));
    op = {{0}, 1, 0, 0, 99};
    EXPECT_EQ(memory(control(), MemoryOp::claim_pages, op), error(Errno::einval));
}

}  // namespace
}  // namespace px
