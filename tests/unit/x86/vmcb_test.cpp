// The control block against the manual's offsets. [amd/apm2 appendix B, tables B-1 and B-2]
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "arch/x86/svm/vmcb.hpp"

namespace px::svm {
namespace {

#define PX_EXPECT_AT(member, offset) EXPECT_EQ(offsetof(Vmcb, member), static_cast<usize>(offset)) << #member

TEST(VmcbLayout, ControlArea) {
    PX_EXPECT_AT(cr_read, 0x000);
    PX_EXPECT_AT(cr_write, 0x002);
    PX_EXPECT_AT(dr_read, 0x004);
    PX_EXPECT_AT(dr_write, 0x006);
    PX_EXPECT_AT(exceptions, 0x008);
    PX_EXPECT_AT(intercepts3, 0x00c);
    PX_EXPECT_AT(intercepts4, 0x010);
    PX_EXPECT_AT(intercepts5, 0x014);
    PX_EXPECT_AT(pause_threshold, 0x03c);
    PX_EXPECT_AT(pause_count, 0x03e);
    PX_EXPECT_AT(io_bitmap, 0x040);
    PX_EXPECT_AT(msr_bitmap, 0x048);
    PX_EXPECT_AT(tsc_offset, 0x050);
    PX_EXPECT_AT(asid, 0x058);
    PX_EXPECT_AT(tlb_control, 0x05c);
    PX_EXPECT_AT(interrupt_control, 0x060);
    PX_EXPECT_AT(interrupt_shadow, 0x068);
    PX_EXPECT_AT(exit_code, 0x070);
    PX_EXPECT_AT(exit_info1, 0x078);
    PX_EXPECT_AT(exit_info2, 0x080);
    PX_EXPECT_AT(exit_interrupt_info, 0x088);
    PX_EXPECT_AT(nested_enable, 0x090);
    PX_EXPECT_AT(event_injection, 0x0a8);
    PX_EXPECT_AT(nested_cr3, 0x0b0);
    PX_EXPECT_AT(lbr_enable, 0x0b8);
    PX_EXPECT_AT(clean_bits, 0x0c0);
    PX_EXPECT_AT(next_rip, 0x0c8);
    PX_EXPECT_AT(fetched_count, 0x0d0);
    PX_EXPECT_AT(fetched, 0x0d1);
}

TEST(VmcbLayout, StateSaveArea) {
    PX_EXPECT_AT(es, 0x400);
    PX_EXPECT_AT(cs, 0x410);
    PX_EXPECT_AT(ss, 0x420);
    PX_EXPECT_AT(ds, 0x430);
    PX_EXPECT_AT(fs, 0x440);
    PX_EXPECT_AT(gs, 0x450);
    PX_EXPECT_AT(gdtr, 0x460);
    PX_EXPECT_AT(ldtr, 0x470);
    PX_EXPECT_AT(idtr, 0x480);
    PX_EXPECT_AT(tr, 0x490);
    PX_EXPECT_AT(cpl, 0x4cb);
    PX_EXPECT_AT(efer, 0x4d0);
    PX_EXPECT_AT(cr4, 0x548);
    PX_EXPECT_AT(cr3, 0x550);
    PX_EXPECT_AT(cr0, 0x558);
    PX_EXPECT_AT(dr7, 0x560);
    PX_EXPECT_AT(dr6, 0x568);
    PX_EXPECT_AT(rflags, 0x570);
    PX_EXPECT_AT(rip, 0x578);
    PX_EXPECT_AT(rsp, 0x5d8);
    PX_EXPECT_AT(rax, 0x5f8);
    PX_EXPECT_AT(star, 0x600);
    PX_EXPECT_AT(lstar, 0x608);
    PX_EXPECT_AT(cstar, 0x610);
    PX_EXPECT_AT(sfmask, 0x618);
    PX_EXPECT_AT(kernel_gs_base, 0x620);
    PX_EXPECT_AT(sysenter_cs, 0x628);
    PX_EXPECT_AT(sysenter_esp, 0x630);
    PX_EXPECT_AT(sysenter_eip, 0x638);
    PX_EXPECT_AT(cr2, 0x640);
    PX_EXPECT_AT(pat, 0x668);
    PX_EXPECT_AT(debug_control, 0x670);
}

TEST(VmcbExits, DecodeAssistsNameTheSourceOfAControlRegister) {
    EXPECT_FALSE(ControlMove(0).is_move) << "LMSW, or a CPU that doesn't tell";
    EXPECT_TRUE(ControlMove(u64{1} << 63 | 12).is_move);
    EXPECT_EQ(ControlMove(u64{1} << 63 | 0xf0 | 12).source, 12u);
}

TEST(Registers, NumbersAreThoseOfInstructions) {
    hvm::GuestRegisters registers{};
    for (unsigned i = 0; i < 16; ++i) registers[i] = i;
    EXPECT_TRUE(registers.rax == 0 && registers.rcx == 1 && registers.rdx == 2 && registers.rbx == 3);
    EXPECT_TRUE(registers.rsp == 4 && registers.rbp == 5 && registers.rsi == 6 && registers.rdi == 7);
    EXPECT_TRUE(registers.r8 == 8 && registers.r15 == 15);
}

}  // namespace
}  // namespace px::svm
