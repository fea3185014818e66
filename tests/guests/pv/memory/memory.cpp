// PV memory as a guest tries to break it: each attempt to write a page table, to reach the hypervisor or others' frames, to load a bad
// descriptor, to confuse the reference counts is refused, and what is allowed still works afterwards.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

constexpr u64 hypervisor_address = abi::x86::hypervisor_virt_end - page_size;
constexpr u64 flags = pte_present | pte_accessed | pte_dirty;

alignas(page_size) constinit u8 table[page_size]{}, other[page_size]{}, scratch[page_size]{}, gdt[page_size]{};

u64 machine_address(const volatile void* address) {
    return mfn_of(address) << page_shift | (reinterpret_cast<u64>(address) & (page_size - 1));
}
u64* entries(u8* page) { return reinterpret_cast<u64*>(page); }
u64 entry_for(const volatile void* page, u64 more = 0) { return mfn_of(page) << page_shift | flags | more; }

/// An L1 that names two pages of ours.
void become_l1() {
    std::memset(table, 0, sizeof table);
    entries(table)[0] = entry_for(scratch, pte_writable);
    entries(table)[1] = entry_for(other);
}

void tables_are_not_written() {
    become_l1();
    using enum abi::MmuextOpCmd;
    PX_CHECK_EQ(mmuext(pin_l1_table, mfn_of(table)), minus(Errno::einval));  // it is mapped writable
    PX_CHECK_EQ(set_writable(table, false), 0);
    PX_CHECK_EQ(mmuext(pin_l1_table, mfn_of(table)), 0);
    PX_CHECK_EQ(mmuext(pin_l1_table, mfn_of(table)), minus(Errno::einval));  // twice
    PX_CHECK_EQ(mmuext(pin_l2_table, mfn_of(table)), minus(Errno::einval));
    PX_CHECK(set_writable(table, true) < 0);
    PX_CHECK(probe_write32(reinterpret_cast<u64>(&entries(table)[5]), 0x20'0007).faulted(fault_pf));  // frame 0x200
    // Through a page table of its own: the table names itself, writable.
    PX_CHECK(mmu_update(machine_address(&entries(table)[2]), entry_for(table, pte_writable)) < 0);
    PX_CHECK_EQ(mmu_update(machine_address(&entries(table)[2]), entry_for(table)), 0);
    PX_CHECK_EQ(mmu_update(machine_address(&entries(table)[2]), 0), 0);
    // The hypervisor writes nothing there either: not as a result, not as a descriptor, not as a page to clear.
    PX_CHECK_EQ(hypercall(abi::hypercall::vcpu_op, static_cast<u64>(abi::VcpuOp::get_runstate_info), 0, reinterpret_cast<u64>(table)),
                minus(Errno::efault));
    PX_CHECK_EQ(hypercall(abi::hypercall::update_descriptor, machine_address(table), 0), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(clear_page, mfn_of(table)), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(copy_page, mfn_of(table), mfn_of(scratch)), minus(Errno::einval));
    PX_CHECK_EQ(entries(table)[1], entry_for(other, entries(table)[1] & (pte_user | u64{1} << 52)));
    PX_CHECK_EQ(mmuext(unpin_table, mfn_of(table)), 0);
    PX_CHECK_EQ(mmuext(unpin_table, mfn_of(table)), minus(Errno::einval));
    PX_CHECK_EQ(set_writable(table, true), 0);
    PX_CHECK(probe_write32(reinterpret_cast<u64>(&entries(table)[5]), 0).fine());
}

void nothing_of_others() {
    const u64 slot = reinterpret_cast<u64>(scratch);
    const auto map = [&](u64 mfn) { return update_va(slot, mfn << page_shift | flags); };
    PX_CHECK(map(~u64{0} >> 24) < 0);
    PX_CHECK(map(0x2000'0000'0000 >> page_shift) < 0);  // beyond what the processor can address
    // Frame 0x200 is the hypervisor's image, at 2 MiB, here and there.
    PX_CHECK(map(0x200) < 0);
    PX_CHECK_EQ(map(mfn_of(scratch)), 0);
    PX_CHECK_EQ(set_writable(scratch, true), 0);
    u64* const root = reinterpret_cast<u64*>(pv_start_info().pt_base);
    for (const unsigned of_hypervisor : {256u, 260u, 271u}) {
        PX_CHECK_EQ(mmu_update(machine_address(&root[of_hypervisor]), 0), minus(Errno::einval));
        PX_CHECK_EQ(mmu_update(machine_address(&root[of_hypervisor]), entry_for(table)), minus(Errno::einval));
    }
    PX_CHECK_EQ(update_va(hypervisor_address, entry_for(scratch)), minus(Errno::einval));
    PX_CHECK_EQ(update_va(u64{1} << 47, entry_for(scratch)), minus(Errno::einval));
    PX_CHECK_EQ(mmu_update(u64{0x200} << page_shift, 0), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::new_baseptr, mfn_of(scratch)), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::new_baseptr, 0x200), minus(Errno::einval));
    PX_CHECK_EQ(mmu_update(u64{0x200} << page_shift | 1, 0),
                minus(Errno::einval));  // the table of frame numbers, of a frame that isn't ours
}

void no_large_pages() {
    constexpr u64 large = 0x80;
    u64* const l2 = entry_on_way(virt_base, 2);
    const u64 before = *l2;
    PX_CHECK_EQ(mmu_update(machine_address(l2), (mfn_of(scratch) & ~u64{511}) << page_shift | flags | large), minus(Errno::einval));
    PX_CHECK_EQ(*l2, before);
}

/// Descriptors: only those of ring 3.
void descriptors() {
    constexpr u64 code_ring0 = 0x00af9b000000ffff, code_ring3 = 0x00affb000000ffff, call_gate_to_us = 0x00008c00e0080000,
                  tss = 0x0000890000000067, ldt = 0x0000820000000067, interrupt_gate = 0x00008e00e0080000;
    u64* const words = entries(gdt);
    const auto update = [&](u64 descriptor) {
        return hypercall(abi::hypercall::update_descriptor, machine_address(&words[4]), descriptor);
    };
    for (const u64 bad : {tss, ldt, interrupt_gate, call_gate_to_us}) PX_CHECK_EQ(update(bad), minus(Errno::einval));
    PX_CHECK_EQ(update(code_ring0), 0);
    PX_CHECK_EQ(words[4], code_ring3);  // made what a guest may have
    PX_CHECK_EQ(update(0), 0);

    const u64 frame = mfn_of(gdt);
    const auto set_gdt = [](u64 mfn, u64 count) {
        u64 list[16] = {mfn};
        return hypercall(abi::hypercall::set_gdt, reinterpret_cast<u64>(list), count);
    };
    PX_CHECK_EQ(set_gdt(frame, 512), minus(Errno::einval));  // mapped writable
    PX_CHECK_EQ(set_writable(gdt, false), 0);
    PX_CHECK_EQ(set_gdt(frame, 14 * 512 + 1), minus(Errno::einval));
    PX_CHECK_EQ(set_gdt(0x200, 512), minus(Errno::einval));
    PX_CHECK_EQ(set_gdt(frame, 512), 0);
    PX_CHECK(set_writable(gdt, true) < 0);
    PX_CHECK_EQ(update(code_ring0), 0);
    PX_CHECK_EQ(update(tss), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::pin_l1_table, frame), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::set_ldt, 1, 4), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::set_ldt, hypervisor_address, 4), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::set_ldt, 0, 8193), minus(Errno::einval));
    PX_CHECK_EQ(set_gdt(0, 0), 0);
    PX_CHECK_EQ(set_writable(gdt, true), 0);
}

/// A table that names itself must not keep itself alive, nor a half of a tree what it names.
void counts() {
    using enum abi::MmuextOpCmd;
    std::memset(table, 0, sizeof table);
    become_l1();
    std::memset(other, 0, sizeof other);
    entries(table)[1] = 0;
    entries(other)[0] = entry_for(table, pte_writable | pte_user);
    entries(other)[1] = entry_for(table, pte_writable | pte_user);
    entries(other)[7] = u64{0x200} << page_shift | flags;  // not ours: what stands before it is given back
    PX_CHECK_EQ(set_writable(table, false), 0);
    PX_CHECK_EQ(set_writable(other, false), 0);
    PX_CHECK_EQ(mmuext(pin_l2_table, mfn_of(other)), minus(Errno::einval));
    PX_CHECK_EQ(set_writable(other, true), 0);
    entries(other)[7] = 0;
    PX_CHECK_EQ(set_writable(table, true), 0);
    PX_CHECK_EQ(set_writable(table, false), 0);
    PX_CHECK_EQ(set_writable(other, false), 0);
    PX_CHECK_EQ(mmuext(pin_l2_table, mfn_of(other)), 0);
    PX_CHECK(set_writable(table, true) < 0);
    PX_CHECK_EQ(mmuext(unpin_table, mfn_of(other)), 0);
    PX_CHECK_EQ(set_writable(table, true), 0);
    PX_CHECK_EQ(set_writable(other, true), 0);
}

/// Batches: what is wrong stops them, and they say how far they came.
void batches() {
    abi::MmuUpdate list[3] = {{machine_address(scratch), 1}, {hypervisor_address, 2}, {machine_address(scratch), 3}};
    u32 done = 99;
    PX_CHECK_EQ(hypercall(abi::hypercall::mmu_update, reinterpret_cast<u64>(list), 3, reinterpret_cast<u64>(&done), abi::domid::self),
                minus(Errno::einval));
    PX_CHECK_EQ(done, 1u);
    PX_CHECK_EQ(*entries(scratch), u64{1});
    PX_CHECK_EQ(hypercall(abi::hypercall::mmu_update, hypervisor_address, 1, 0, abi::domid::self), minus(Errno::efault));
    PX_CHECK_EQ(hypercall(abi::hypercall::mmuext_op, hypervisor_address, 1, 0, abi::domid::self), minus(Errno::efault));
    PX_CHECK_EQ(hypercall(abi::hypercall::mmu_update, reinterpret_cast<u64>(list), 1, 0, 0x7ff4), minus(Errno::esrch));
    list[0].ptr = u64{3} | machine_address(scratch);
    abi::MmuextOp unknown{};
    unknown.cmd = 77;
    PX_CHECK_EQ(hypercall(abi::hypercall::mmuext_op, reinterpret_cast<u64>(&unknown), 1, 0, abi::domid::self), minus(Errno::enosys));
}

/// Pages that are written as if they were memory.
void trapped_writes() {
    become_l1();
    PX_CHECK_EQ(set_writable(table, false), 0);
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::pin_l1_table, mfn_of(table)), 0);
    PX_CHECK_EQ(hypercall(abi::hypercall::vm_assist, 0, static_cast<u64>(abi::VmassistType::writable_pagetables)), 0);
    volatile u64* const words = entries(table);
    words[3] = entry_for(scratch, pte_writable);
    PX_CHECK_EQ(words[3] & ~(pte_user | u64{1} << 52), entry_for(scratch, pte_writable));
    words[3] = 0;
    PX_CHECK_EQ(words[3], u64{0});
    PX_CHECK(probe_write32(reinterpret_cast<u64>(&words[4]), 0x20'0001).faulted(fault_pf));  // frame 0x200
    PX_CHECK_EQ(hypercall(abi::hypercall::vm_assist, 0, 63), minus(Errno::einval));
    PX_CHECK_EQ(mmuext(abi::MmuextOpCmd::unpin_table, mfn_of(table)), 0);
    PX_CHECK_EQ(set_writable(table, true), 0);
}

}  // namespace

void guest_main() {
    PX_PART(tables_are_not_written());
    PX_PART(nothing_of_others());
    PX_PART(no_large_pages());
    PX_PART(descriptors());
    PX_PART(counts());
    PX_PART(batches());
    PX_PART(trapped_writes());
}

}  // namespace px::guest
