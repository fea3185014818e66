// Events on their way into a guest of AMD-V.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/machine/apic_registers.hpp"
#include "arch/x86/svm/svm.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::svm {

constinit Features detail::host_features{};

namespace {

using hvm::Event;

class Inject : public hvm::X86World {
protected:
    Inject() : vcpu_(*make_domain(1).vcpu(VcpuId{0})) {
        auto svm = make<VcpuSvm>();
        EXPECT_TRUE(svm.ok());
        vcpu_.arch.svm = std::move(*svm);
        vcpu_.arch.svm->vmcb = &vmcb_;
        vcpu_.arch.registers.rflags = interrupt_flag;
        vcpu_.arch.apic.write(arch::apic::spurious, 0x1ff);
    }
    ~Inject() override { vcpu_.arch.svm.reset(); }
    void request(u8 vector) { vcpu_.arch.apic.request(vector, false); }
    /// What the next entry injects. As each exit does, the last one has cleared the field.
    u64 prepared() {
        vmcb_.event_injection = 0;
        choose_event(vcpu_);
        return vmcb_.event_injection;
    }
    static constexpr u64 interrupt_flag = 1u << 9;
    alignas(4096) Vmcb vmcb_{};
    Vcpu& vcpu_;
};

TEST_F(Inject, AnInterruptWaitsForTheFlag) {
    vcpu_.arch.registers.rflags = 0;
    request(0x41);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_NE(vmcb_.intercepts3 & intercept3::vintr, 0u) << "an exit when the guest opens interrupts";
    vcpu_.arch.registers.rflags = interrupt_flag;
    EXPECT_EQ(prepared(), injection::valid | 0x41);
    EXPECT_EQ(vmcb_.intercepts3 & intercept3::vintr, 0u);
}

TEST_F(Inject, TheNextInterruptFollowsTheFirst) {
    request(0x41);
    request(0x81);
    ASSERT_EQ(prepared(), injection::valid | 0x81);
    EXPECT_EQ(vmcb_.intercepts3 & intercept3::vintr, 0u) << "the other is less urgent than what is in service";
    vcpu_.arch.apic.end_of_interrupt();
    EXPECT_TRUE(hvm::may_have_event(vcpu_));
    EXPECT_EQ(prepared(), injection::valid | 0x41);
    vcpu_.arch.apic.end_of_interrupt();
    EXPECT_FALSE(hvm::may_have_event(vcpu_));
    EXPECT_EQ(prepared(), 0u);
}

/// It stays pending until the guest's handler says otherwise, and so would wait for itself.
TEST_F(Inject, AnUpcallDoesNotWaitBehindItself) {
    vcpu_.domain.arch.callback = {.via = hvm::Callback::Via::vector, .number = 0xf3};
    vcpu_.info().evtchn_upcall_pending = 1;
    EXPECT_EQ(prepared(), injection::valid | 0xf3);
    EXPECT_EQ(vmcb_.intercepts3 & intercept3::vintr, 0u);
    request(0x41);
    EXPECT_EQ(prepared(), injection::valid | 0xf3);
    EXPECT_NE(vmcb_.intercepts3 & intercept3::vintr, 0u) << "but the local APIC's request does";
    vcpu_.info().evtchn_upcall_pending = 0;
}

TEST_F(Inject, AnExceptionKeepsWhatItTells) {
    hvm::inject_page_fault(vcpu_, 0xffff'8000'dead'b000, 6);
    EXPECT_TRUE(hvm::may_have_event(vcpu_));
    const u64 fault = injection::valid | injection::has_error | injection::type_exception << 8 | 14 | u64{6} << 32;
    ASSERT_EQ(prepared(), fault);
    EXPECT_EQ(vmcb_.cr2, 0xffff'8000'dead'b000u);
    // Its delivery was interrupted by an exit: again, before an interrupt that came meanwhile.
    request(0x41);
    repeat_event(vcpu_, fault);
    EXPECT_EQ(prepared(), fault);
    EXPECT_EQ(vmcb_.cr2, 0xffff'8000'dead'b000u);
    EXPECT_NE(vmcb_.intercepts3 & intercept3::vintr, 0u) << "the interrupt is next";
    // INT3 is an instruction: it runs again by itself.
    repeat_event(vcpu_, injection::valid | injection::type_exception << 8 | 3);
    EXPECT_EQ(vcpu_.arch.pending.kind, Event::Kind::none);
    repeat_event(vcpu_, injection::valid | injection::type_software << 8 | 0x80);
    EXPECT_EQ(vcpu_.arch.pending.kind, Event::Kind::none);
}

/// There interrupts go as virtual ones.
class InjectUnderQemu : public Inject {
protected:
    InjectUnderQemu() { detail::host_features.injects_twice = true; }
    ~InjectUnderQemu() override { detail::host_features.injects_twice = false; }
    /// The vector that the next entry offers as a virtual interrupt; -1: none. As the processor does, the last entry has taken its own.
    int offered() {
        vmcb_.interrupt_control &= ~virtual_interrupt::pending;
        EXPECT_EQ(prepared(), 0u);
        if ((vmcb_.interrupt_control & virtual_interrupt::pending) == 0 || (vmcb_.intercepts3 & intercept3::vintr) != 0) return -1;
        EXPECT_NE(vmcb_.interrupt_control & virtual_interrupt::ignore_tpr, 0u);
        return static_cast<u8>(vmcb_.interrupt_control >> virtual_interrupt::vector_shift);
    }
};

TEST(InjectRules, QemuSaysSoInCpuid) {
    EXPECT_TRUE(is_qemu(0x54474354, 0x43544743, 0x47435447));
    EXPECT_FALSE(is_qemu(0x4b4d564b, 0x564b4d56, 0x4d));  // KVM's
    EXPECT_FALSE(is_qemu(0, 0, 0));
}

TEST_F(InjectUnderQemu, AnInterruptWaitsForTheFlag) {
    vcpu_.arch.registers.rflags = 0;
    request(0x41);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_NE(vmcb_.intercepts3 & intercept3::vintr, 0u) << "an exit when the guest opens interrupts";
    vcpu_.arch.registers.rflags = interrupt_flag;
    EXPECT_EQ(offered(), 0x41);
    EXPECT_EQ(vmcb_.intercepts3 & intercept3::vintr, 0u);
}

TEST_F(InjectUnderQemu, TheNextInterruptFollowsTheFirst) {
    request(0x41);
    request(0x81);
    ASSERT_EQ(offered(), 0x81);
    EXPECT_EQ(vmcb_.intercepts3 & intercept3::vintr, 0u) << "the other is less urgent than what is in service";
    vcpu_.arch.apic.end_of_interrupt();
    EXPECT_TRUE(hvm::may_have_event(vcpu_));
    EXPECT_EQ(offered(), 0x41);
    vcpu_.arch.apic.end_of_interrupt();
    EXPECT_FALSE(hvm::may_have_event(vcpu_));
    EXPECT_EQ(offered(), -1);
}

/// The exit came before the guest took it: it is offered again, before what came meanwhile.
TEST_F(InjectUnderQemu, AMissedInterruptComesAgain) {
    request(0x41);
    ASSERT_EQ(offered(), 0x41);
    withdraw_interrupt(vcpu_);
    EXPECT_EQ(vmcb_.interrupt_control & virtual_interrupt::pending, 0u);
    EXPECT_TRUE(hvm::may_have_event(vcpu_));
    EXPECT_EQ(offered(), 0x41);
    EXPECT_EQ(offered(), -1);
}

}  // namespace
}  // namespace px::svm
