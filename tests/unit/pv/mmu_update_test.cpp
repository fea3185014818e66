// HYPERVISOR_mmu_update and update_va_mapping(_otherdomain).
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pv/pv_world.hpp"

namespace px::pv {
namespace {

using abi::MmuUpdate;
namespace uvmf = abi::uvmf;

constexpr u64 normal = 0, machphys = 1, preserve = 2, no_translate = 3;

class PvMmuUpdateTest : public PvWorld {
protected:
    Domain& a = make_pv(1, 2, true);
    Domain& b = make_pv(2);

    PvMmuUpdateTest() {
        for (Domain* domain : {&a, &b}) {
            write_tree(*domain);
            EXPECT_EQ(value(set_root(memory(*domain), mfn(*domain, 0), Root::kernel)), 0);
        }
    }
    static MmuUpdate at(Domain& domain, u64 n, unsigned index, u64 value, u64 type = normal) {
        return {address(domain, n, index).raw | type, value};
    }
    i64 update(std::vector<MmuUpdate> ops, u64 owners = abi::domid::self, u32* done = nullptr) {
        return batch(mmu_update, vcpu(a), std::move(ops), owners, done);
    }
    i64 update_va(Domain& caller, u64 linear, u64 entry, u64 flags = 0) {
        return call_va(update_va_mapping, caller, {{linear, entry, flags, 0, 0}});
    }
    i64 update_va_of(Domain& caller, u64 linear, u64 entry, u64 owner) {
        return call_va(update_va_mapping_otherdomain, caller, {{linear, entry, 0, owner, 0}});
    }
    static i64 call_va(HypercallHandler handler, Domain& caller, HypercallArgs args) {
        arch::host_become_vcpu(&vcpu(caller));
        const auto reply = handler(vcpu(caller), args);
        arch::host_become_vcpu(nullptr);
        return to_register(reply);
    }
    static constexpr u64 tables_of(u16 domain) { return (u64{domain} + 1) << 16 | abi::domid::self; }
};

TEST_F(PvMmuUpdateTest, ABatchSaysHowFarItCame) {
    u32 done = 77;
    EXPECT_EQ(update({at(a, 3, 1, entry(a, 5, user_bits)), at(a, 3, 2, entry(a, 6, read_bits))}, abi::domid::self, &done), 0);
    EXPECT_EQ(done, 2u);
    EXPECT_EQ(count(a, 5), 1u);
    EXPECT_EQ(update({at(a, 3, 3, entry(a, 7, user_bits)), at(a, 3, 4, entry(a, 2, user_bits)), at(a, 3, 5, entry(a, 8, user_bits))},
                     abi::domid::self, &done),
              error(Errno::ebusy));
    EXPECT_EQ(done, 1u);
    EXPECT_EQ(words(a, 3)[5], 0u) << "what follows isn't done";
    EXPECT_EQ(update({}, abi::domid::self, &done), 0);
    EXPECT_EQ(done, 0u);
}

TEST_F(PvMmuUpdateTest, AnInterruptedBatchGoesOn) {
    std::vector<MmuUpdate> ops;
    for (unsigned i = 0; i < 40; ++i) ops.push_back(at(a, 3, 100 + i, entry(a, 5, read_bits)));
    ops.push_back(at(a, 2, 0, 0));
    ops.push_back(at(a, 2, 1, entry(a, 3, user_bits)));
    ops.push_back(at(a, 2, 1, entry(a, 3, user_bits | Entry::bit_large)));
    fake().always_pause = true;
    u32 done = 0;
    EXPECT_EQ(update(ops, abi::domid::self, &done), error(Errno::einval));
    EXPECT_EQ(done, 42u);
    EXPECT_EQ(references(a, 5), 41u);
}

TEST_F(PvMmuUpdateTest, ADroppedTreeIsDissolvedWithinTheCall) {
    fake().always_pause = true;
    EXPECT_EQ(update({at(a, 0, 0, 0)}), 0);
    EXPECT_FALSE(memory(a).unfinished);
    for (u64 n = 1; n < 5; ++n) EXPECT_EQ(count(a, n), 0u);
    words(a, 1)[300] = ~u64{0};
    EXPECT_EQ(update({at(a, 0, 0, entry(a, 1, user_bits))}), error(Errno::einval)) << "the result waits for the rest";
    EXPECT_FALSE(memory(a).unfinished);
    for (u64 n = 1; n < 5; ++n) EXPECT_EQ(count(a, n), 0u);
}

TEST_F(PvMmuUpdateTest, TheMachineToPhysicalTable) {
    EXPECT_EQ(update({{to_paddr(mfn(a, 5)).raw | machphys, 1234}}), 0);
    EXPECT_EQ(fake().m2p[mfn(a, 5).raw], 1234u);
    EXPECT_EQ(update({{to_paddr(mfn(b, 5)).raw | machphys, 1}}), error(Errno::einval));
    EXPECT_EQ(update({{to_paddr(mfn(b, 5)).raw | machphys, 1}}, 2), 0);
    EXPECT_EQ(update({{io_frame << page_shift | machphys, 1}}), error(Errno::einval));
    EXPECT_EQ(update({{to_paddr(mfn(a, 5)).raw | machphys, 1}}, abi::domid::io), error(Errno::einval));
}

TEST_F(PvMmuUpdateTest, UnknownCommandsAndBadMemory) {
    for (u64 command = 4; command < 8; ++command) EXPECT_EQ(update({at(a, 3, 1, 0, command)}), error(Errno::enosys));
    HypercallArgs args{{0x1000, 1, 0, abi::domid::self, 0}};
    EXPECT_EQ(to_register(mmu_update(vcpu(a), args)), error(Errno::efault));
    EXPECT_EQ(update({{io_frame << page_shift, 0}}), error(Errno::einval));
    EXPECT_EQ(update({{~u64{7}, 0}}), error(Errno::einval));
    Domain& hvm = make_domain(7);
    HypercallArgs from_hvm{{0, 0, 0, abi::domid::self, 0}};
    EXPECT_EQ(to_register(mmu_update(vcpu(hvm), from_hvm)), error(Errno::enosys));
}

TEST_F(PvMmuUpdateTest, PreservingAccessedAndDirty) {
    words(a, 3)[0] |= Entry::accessed_dirty;
    EXPECT_EQ(update({at(a, 3, 0, entry(a, 4, user_bits), preserve)}), 0);
    EXPECT_TRUE(words(a, 3)[0] & Entry::bit_dirty);
    EXPECT_EQ(update({at(a, 3, 0, entry(a, 4, user_bits))}), 0);
    EXPECT_FALSE(words(a, 3)[0] & Entry::bit_dirty);
}

TEST_F(PvMmuUpdateTest, WhosePagesAndWhoseTables) {
    EXPECT_EQ(update({at(a, 3, 1, entry(b, 5, user_bits))}), error(Errno::ebusy));
    EXPECT_EQ(update({at(a, 3, 1, entry(b, 5, user_bits))}, 2), 0);
    EXPECT_EQ(update({at(a, 3, 1, 0)}, 1), error(Errno::esrch)) << "oneself by number";
    EXPECT_EQ(update({at(a, 3, 1, 0)}, 99), error(Errno::esrch));
    EXPECT_EQ(update({at(b, 3, 1, entry(b, 5, read_bits))}), error(Errno::einval)) << "not a's table";
    EXPECT_EQ(update({at(b, 3, 1, entry(b, 6, user_bits))}, u64{2 + 1} << 16 | 2), 0);
    EXPECT_EQ(count(b, 6), 1u);
    EXPECT_EQ(update({at(b, 3, 1, 0)}, tables_of(99)), error(Errno::einval));
    EXPECT_EQ(batch(mmu_update, vcpu(b), std::vector<MmuUpdate>{at(a, 3, 1, 0)}, tables_of(1)), error(Errno::eperm));
    EXPECT_EQ(batch(mmu_update, vcpu(b), std::vector<MmuUpdate>{at(b, 3, 1, 0)}, tables_of(2)), 0) << "its own, by number";
    EXPECT_EQ(batch(mmu_update, vcpu(b), std::vector<MmuUpdate>{at(b, 3, 1, 0)}, 1), error(Errno::eperm));
    EXPECT_EQ(batch(mmu_update, vcpu(b), std::vector<MmuUpdate>{at(b, 3, 1, 0)}, abi::domid::xen), error(Errno::eperm));
    make_domain(7);
    EXPECT_EQ(update({at(a, 3, 1, 0)}, tables_of(7)), error(Errno::eopnotsupp));
    fake().with_devices = {1};
    EXPECT_EQ(update({at(a, 3, 2, io_frame << page_shift | user_bits)}, abi::domid::io), 0);
    EXPECT_EQ(update({at(a, 3, 3, entry(a, 5, user_bits))}, abi::domid::io), error(Errno::ebusy));
}

TEST_F(PvMmuUpdateTest, HvmDomainsNamePagesByTheirOwnNumbers) {
    Domain& hvm = make_domain(7);
    EXPECT_EQ(update({at(a, 3, 1, 5 << page_shift | user_bits)}, 7), 0);
    EXPECT_EQ(Entry{words(a, 3)[1]}.mfn(), mfn(hvm, 5));
    EXPECT_EQ(references(hvm, 5), 2u);
    EXPECT_EQ(update({at(a, 3, 2, 9999 << page_shift | user_bits)}, 7), error(Errno::einval));
    EXPECT_EQ(update({at(a, 3, 2, to_paddr(mfn(hvm, 6)).raw | user_bits, no_translate)}, 7), 0);
    EXPECT_EQ(references(hvm, 6), 2u);
    EXPECT_EQ(update({at(a, 3, 1, 0), at(a, 3, 2, 0)}, 7), 0);
    EXPECT_EQ(references(hvm, 5), 1u);
}

TEST_F(PvMmuUpdateTest, ByLinearAddress) {
    EXPECT_EQ(update_va(a, 5 << page_shift, entry(a, 5, user_bits)), 0);
    EXPECT_EQ(Entry{words(a, 3)[5]}.mfn(), mfn(a, 5));
    EXPECT_EQ(update_va(a, u64{1} << 21, entry(a, 5, user_bits)), error(Errno::einval)) << "no L1 there";
    EXPECT_EQ(update_va(a, u64{1} << 39, entry(a, 5, user_bits)), error(Errno::einval)) << "no L3 there";
    EXPECT_EQ(update_va(a, 0xffff'8000'0000'0000, entry(a, 5, user_bits)), error(Errno::einval));
    EXPECT_EQ(update_va(a, u64{1} << 62, 0), error(Errno::einval));
    EXPECT_EQ(update_va(a, 6 << page_shift, entry(a, 3, user_bits)), error(Errno::ebusy));
    EXPECT_EQ(update_va(a, 6 << page_shift, entry(b, 5, user_bits)), error(Errno::ebusy));
    EXPECT_EQ(update_va_of(a, 6 << page_shift, entry(b, 5, user_bits), 2), 0);
    EXPECT_EQ(update_va_of(a, 6 << page_shift, 0, 99), error(Errno::esrch));
    EXPECT_EQ(update_va_of(b, 6 << page_shift, 0, 1), error(Errno::eperm));
    // Through a table that names itself, the entries of tables are pages.
    ASSERT_EQ(value(set(a, 0, 300, entry(a, 0, read_bits))), 0);
    EXPECT_EQ(update_va(a, 0xffff'0000'0000'0000 | u64{300} << 39 | u64{300} << 30 | u64{300} << 21, 0), error(Errno::einval))
        << "an L4 at the end of the way is no L1";
}

TEST_F(PvMmuUpdateTest, FlushesAfterAChangeByLinearAddress) {
    const auto change = [&](u64 flags) { return update_va(a, 5 << page_shift | 0x123, entry(a, 5, read_bits), flags); };
    EXPECT_EQ(change(uvmf::none), 0);
    EXPECT_EQ(change(3), 0) << "an unknown kind";
    EXPECT_EQ(fake().tlb_flushes + fake().page_flushes, 0u);
    EXPECT_EQ(change(uvmf::invlpg | uvmf::local), 0);
    EXPECT_EQ(fake().flushed_page, u64{5} << page_shift | 0x123);
    EXPECT_EQ(fake().flushed, CpuMask::of(CpuId{0}));
    EXPECT_EQ(change(uvmf::tlb_flush | uvmf::all), 0);
    EXPECT_EQ(fake().flushed, fake().cpus);
    alignas(8) u64 bitmap = 2;
    EXPECT_EQ(change(uvmf::tlb_flush | reinterpret_cast<u64>(&bitmap)), error(Errno::efault));
    EXPECT_EQ(words(a, 3)[5], entry(a, 5, read_bits | Entry::bit_global)) << "as before";
    arch::host_guest_memory(&bitmap, sizeof bitmap);
    EXPECT_EQ(change(uvmf::tlb_flush | reinterpret_cast<u64>(&bitmap)), 0);
    EXPECT_EQ(fake().flushed, CpuMask::of(CpuId{1})) << "where vCPU 1 is";
    EXPECT_EQ(fake().tlb_flushes, 2u);
    EXPECT_EQ(fake().page_flushes, 1u);
}

}  // namespace
}  // namespace px::pv
