// HYPERVISOR_mmuext_op, set_gdt and update_descriptor.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

using abi::MmuextOp;
using Cmd = abi::MmuextOpCmd;

class PvMmuextTest : public PvWorld {
protected:
    Domain& a = make_pv(1, 2, true);
    Domain& b = make_pv(2);

    static MmuextOp op(Cmd command, u64 argument = 0, u64 second = 0) {
        MmuextOp result{};
        result.cmd = static_cast<u32>(command);
        result.arg1.mfn = argument;
        result.arg2.src_mfn = second;
        return result;
    }
    i64 run(std::vector<MmuextOp> ops, u64 owner = abi::domid::self, u32* done = nullptr) {
        return batch(mmuext_op, vcpu(a), std::move(ops), owner, done);
    }
    i64 run(Cmd command, u64 argument = 0, u64 second = 0, u64 owner = abi::domid::self) {
        return run(std::vector{op(command, argument, second)}, owner);
    }
    u64 number(u64 n) { return mfn(a, n).raw; }
};

TEST_F(PvMmuextTest, EachLevelIsPinned) {
    write_tree(a);
    const struct {
        Cmd command;
        u64 n;
        FrameType type;
    } levels[] = {{Cmd::pin_l1_table, 3, FrameType::l1},
                  {Cmd::pin_l2_table, 2, FrameType::l2},
                  {Cmd::pin_l3_table, 1, FrameType::l3},
                  {Cmd::pin_l4_table, 0, FrameType::l4}};
    for (const auto& [command, n, frame_type] : levels) {
        EXPECT_EQ(run(command, number(n)), 0);
        EXPECT_EQ(type(a, n), frame_type);
        EXPECT_EQ(run(command, number(n)), error(Errno::einval)) << "twice";
        EXPECT_EQ(run(command, number(20)), 0) << "an empty page is a table of any level";
        EXPECT_EQ(run(Cmd::unpin_table, number(20)), 0);
    }
    EXPECT_EQ(count(a, 3), 2u) << "pinned and named";
    EXPECT_EQ(run(Cmd::pin_l1_table, number(4)), error(Errno::einval)) << "writable";
    EXPECT_EQ(run(Cmd::pin_l1_table, io_frame), error(Errno::einval));
    EXPECT_EQ(run(Cmd::pin_l1_table, mfn(b, 3).raw), error(Errno::einval));
    EXPECT_EQ(run(Cmd::unpin_table, number(9)), error(Errno::einval));
    EXPECT_EQ(run(Cmd::unpin_table, ~u64{0}), error(Errno::einval));
    for (u64 n = 0; n < 4; ++n) EXPECT_EQ(run(Cmd::unpin_table, number(n)), 0);
    for (u64 n = 0; n < 5; ++n) EXPECT_EQ(count(a, n), 0u);
}

TEST_F(PvMmuextTest, ABuilderPinsForItsGuest) {
    write_tree(b);
    EXPECT_EQ(run(Cmd::pin_l4_table, mfn(b, 0).raw, 0, 2), 0);
    EXPECT_TRUE(use_of(frame(b, 0)).pinned);
    EXPECT_EQ(run(Cmd::unpin_table, mfn(b, 0).raw, 0, 2), 0);
    EXPECT_EQ(run(Cmd::pin_l4_table, mfn(b, 0).raw, 0, 99), error(Errno::esrch));
    EXPECT_EQ(run(Cmd::pin_l4_table, number(0), 0, abi::domid::io), error(Errno::einval));
    EXPECT_EQ(batch(mmuext_op, vcpu(b), std::vector{op(Cmd::pin_l4_table, number(0))}, 1), error(Errno::eperm));
    Domain& hvm = make_domain(7);
    EXPECT_EQ(run(Cmd::pin_l4_table, 1, 0, 7), 0) << "nothing to pin";
    EXPECT_EQ(run(Cmd::unpin_table, 1, 0, 7), 0);
    EXPECT_EQ(references(hvm, 1), 1u);
}

TEST_F(PvMmuextTest, ABuilderWithoutPvTablesOfItsOwn) {
    DomainSettings chosen = settings();
    chosen.control = true;
    Domain& hvm = make_domain(7, chosen);
    fake().guests[&hvm] = make<Guest>(hvm).value();
    ASSERT_TRUE(fake().guests[&hvm]->create_vcpu(vcpu(hvm)).ok());
    const auto as_hvm = [&](Cmd command, u64 argument, u64 owner) {
        return batch(mmuext_op, vcpu(hvm), std::vector{op(command, argument)}, owner);
    };
    fake().always_pause = true;
    write_tree(b);
    EXPECT_EQ(as_hvm(Cmd::pin_l4_table, mfn(b, 0).raw, 2), 0);
    EXPECT_EQ(as_hvm(Cmd::unpin_table, mfn(b, 0).raw, 2), 0);
    EXPECT_EQ(count(b, 4), 0u);
    EXPECT_EQ(as_hvm(Cmd::new_baseptr, 1, abi::domid::self), error(Errno::einval));
    EXPECT_EQ(as_hvm(Cmd::set_ldt, 0, abi::domid::self), error(Errno::einval));
    EXPECT_EQ(as_hvm(Cmd::clear_page, 1, abi::domid::self), error(Errno::einval));
    fake().guests.erase(&hvm);
    EXPECT_EQ(as_hvm(Cmd::tlb_flush_local, 0, abi::domid::self), error(Errno::enosys));
}

TEST_F(PvMmuextTest, Roots) {
    write_tree(a);
    fake().always_pause = true;
    EXPECT_EQ(run(Cmd::new_baseptr, number(0)), 0);
    EXPECT_EQ(run(Cmd::new_user_baseptr, number(20)), 0);
    EXPECT_EQ(run(Cmd::new_user_baseptr, 0), 0);
    EXPECT_EQ(run(Cmd::new_baseptr, 0), error(Errno::einval));
    EXPECT_EQ(run(Cmd::new_baseptr, number(3)), error(Errno::einval));
    EXPECT_EQ(run(Cmd::new_baseptr, number(0), 0, 2), error(Errno::eperm));
    EXPECT_EQ(run(Cmd::new_user_baseptr, number(0), 0, 2), error(Errno::eperm));
    EXPECT_EQ(run(Cmd::new_baseptr, number(20)), 0);
    EXPECT_EQ(count(a, 0), 0u);
    EXPECT_EQ(count(a, 4), 0u);
    EXPECT_EQ(count(a, 20), 1u);
}

TEST_F(PvMmuextTest, Flushes) {
    EXPECT_EQ(run(Cmd::tlb_flush_local), 0);
    EXPECT_EQ(fake().flushed, CpuMask::of(CpuId{0}));
    EXPECT_EQ(run(Cmd::tlb_flush_all), 0);
    EXPECT_EQ(fake().flushed, fake().cpus);
    EXPECT_EQ(run(Cmd::invlpg_local, 0x5000), 0);
    EXPECT_EQ(fake().flushed, CpuMask::of(CpuId{0}));
    EXPECT_EQ(run(Cmd::invlpg_all, 0x6000), 0);
    EXPECT_EQ(fake().flushed, fake().cpus);
    EXPECT_EQ(fake().flushed_page, 0x6000u);
    alignas(8) u64 bitmap = ~u64{0};
    const u64 at = reinterpret_cast<u64>(&bitmap);
    EXPECT_EQ(run(Cmd::tlb_flush_multi, 0, at), error(Errno::einval)) << "not readable";
    const auto with_bitmap = [&](Cmd command) {
        std::vector ops{op(command, 0x7000, at)};
        arch::host_guest_memory(&bitmap, sizeof bitmap);
        return run(std::move(ops));
    };
    fake().cpus = CpuMask::first_n(4);
    EXPECT_EQ(with_bitmap(Cmd::tlb_flush_multi), 0);
    EXPECT_EQ(fake().flushed, CpuMask::first_n(2)) << "as many as there are vCPUs";
    bitmap = 2;
    EXPECT_EQ(with_bitmap(Cmd::invlpg_multi), 0);
    EXPECT_EQ(fake().flushed, CpuMask::of(CpuId{1}));
    EXPECT_EQ(fake().tlb_flushes, 3u);
    EXPECT_EQ(fake().page_flushes, 3u);
    EXPECT_EQ(run(Cmd::invlpg_all, 0xffff'8000'0000'0000), 0) << "not the guest's: nothing to flush";
    EXPECT_EQ(fake().page_flushes, 3u);
    for (const Cmd command : {Cmd::tlb_flush_local, Cmd::invlpg_local, Cmd::tlb_flush_multi, Cmd::invlpg_multi, Cmd::tlb_flush_all,
                              Cmd::invlpg_all, Cmd::flush_cache, Cmd::flush_cache_global, Cmd::set_ldt}) {
        EXPECT_EQ(run(command, 0, 0, 2), error(Errno::eperm)) << "not for another domain";
    }
}

TEST_F(PvMmuextTest, Caches) {
    EXPECT_EQ(run(Cmd::flush_cache), error(Errno::eacces));
    EXPECT_EQ(run(Cmd::flush_cache_global), error(Errno::eacces));
    fake().with_devices = {1};
    EXPECT_EQ(run(Cmd::flush_cache), 0);
    EXPECT_EQ(run(Cmd::flush_cache_global), 0);
    EXPECT_EQ(fake().cache_flushes, 2u);
}

TEST_F(PvMmuextTest, PagesAreClearedAndCopied) {
    words(a, 9)[511] = words(b, 9)[0] = 5;
    EXPECT_EQ(run(Cmd::copy_page, number(10), number(9)), 0);
    EXPECT_EQ(words(a, 10)[511], 5u);
    EXPECT_EQ(run(Cmd::clear_page, number(9)), 0);
    EXPECT_EQ(words(a, 9)[511], 0u);
    EXPECT_EQ(run(Cmd::clear_page, mfn(b, 9).raw), error(Errno::einval));
    EXPECT_EQ(run(Cmd::clear_page, mfn(b, 9).raw, 0, 2), 0);
    EXPECT_EQ(words(b, 9)[0], 0u);
    ASSERT_EQ(run(Cmd::pin_l1_table, number(3)), 0);
    words(a, 3)[0] = 0x1000;
    EXPECT_EQ(run(Cmd::clear_page, number(3)), error(Errno::einval));
    EXPECT_EQ(run(Cmd::copy_page, number(3), number(9)), error(Errno::einval));
    EXPECT_EQ(run(Cmd::copy_page, number(9), number(3)), 0) << "reading one is fine";
    EXPECT_EQ(run(Cmd::copy_page, number(9), io_frame), error(Errno::einval));
    EXPECT_EQ(run(Cmd::clear_page, io_frame), error(Errno::einval));
    for (u64 n : {3, 9, 10}) EXPECT_EQ(references(a, n), n == 3 ? 2u : 1u);
}

TEST_F(PvMmuextTest, TheRest) {
    EXPECT_EQ(run(Cmd::mark_super, number(0)), error(Errno::eopnotsupp));
    EXPECT_EQ(run(Cmd::unmark_super, number(0)), error(Errno::eopnotsupp));
    for (const u32 unknown : {14u, 21u, ~0u}) EXPECT_EQ(run(Cmd(unknown)), error(Errno::enosys));
    EXPECT_EQ(run(Cmd::set_ldt, 0x5000, 10), 0);
    EXPECT_EQ(run(Cmd::set_ldt, 0x5001, 10), error(Errno::einval));
    u32 done = 0;
    EXPECT_EQ(run({op(Cmd::tlb_flush_local), op(Cmd(14)), op(Cmd::tlb_flush_local)}, abi::domid::self, &done), error(Errno::enosys));
    EXPECT_EQ(done, 1u);
    EXPECT_EQ(fake().tlb_flushes, 1u);
}

TEST_F(PvMmuextTest, DescriptorTablesByHypercall) {
    u64 frames[] = {number(5), number(6)};
    arch::host_guest_memory(frames, sizeof frames);
    const auto call_gdt = [&](u64 list, u64 entries) {
        HypercallArgs args{{list, entries, 0, 0, 0}};
        return to_register(hypercall_set_gdt(vcpu(a), args));
    };
    EXPECT_EQ(call_gdt(reinterpret_cast<u64>(frames), 600), 0);
    EXPECT_EQ(count(a, 6), 1u);
    EXPECT_EQ(call_gdt(reinterpret_cast<u64>(frames), 1025), error(Errno::efault));
    EXPECT_EQ(call_gdt(reinterpret_cast<u64>(frames), 7169), error(Errno::einval));
    const auto call_descriptor = [&](u64 at, u64 descriptor) {
        HypercallArgs args{{at, descriptor, 0, 0, 0}};
        return to_register(hypercall_update_descriptor(vcpu(a), args));
    };
    EXPECT_EQ(call_descriptor(address(a, 5, 2).raw, 0x00cf93000000ffff), 0);
    EXPECT_EQ(words(a, 5)[2], 0x00cff3000000ffffu);
    EXPECT_EQ(call_descriptor(address(b, 5, 2).raw, 0), error(Errno::einval));
    EXPECT_EQ(call_gdt(0, 0), 0);
    EXPECT_EQ(count(a, 6), 0u);
    arch::host_guest_memory_clear();
}

}  // namespace
}  // namespace px::pv
