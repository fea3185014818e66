// Events on their way into a guest of AMD-V.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/machine/apic_registers.hpp"
#include "arch/x86/svm/svm.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::svm {
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
    u64 prepared() {
        prepare_events(vcpu_);
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

TEST_F(Inject, WhatWasPreparedForAnEntryThatDidNotHappenIsNotLost) {
    request(0x41);
    ASSERT_EQ(prepared(), injection::valid | 0x41);
    postpone_event(vcpu_);
    EXPECT_EQ(vmcb_.event_injection, 0u);
    request(0x81);  // more urgent, but the APIC has the first one in service
    EXPECT_EQ(prepared(), injection::valid | 0x41);
    EXPECT_NE(vmcb_.intercepts3 & intercept3::vintr, 0u) << "the other is next";
    // The guest took it, and exits at once.
    vmcb_.exit_interrupt_info = 0;
    recover_event(vcpu_);
    EXPECT_EQ(prepared(), injection::valid | 0x81);
    postpone_event(vcpu_);
    postpone_event(vcpu_);
    EXPECT_EQ(prepared(), injection::valid | 0x81) << "once";
    recover_event(vcpu_);
    EXPECT_EQ(prepared(), 0u);
}

TEST_F(Inject, AnExceptionKeepsWhatItTells) {
    hvm::inject_page_fault(vcpu_, 0xffff'8000'dead'b000, 6);
    const u64 fault = injection::valid | injection::has_error | injection::type_exception << 8 | 14 | u64{6} << 32;
    ASSERT_EQ(prepared(), fault);
    EXPECT_EQ(vmcb_.cr2, 0xffff'8000'dead'b000u);
    postpone_event(vcpu_);
    request(0x41);
    EXPECT_EQ(prepared(), fault);
    EXPECT_EQ(vmcb_.cr2, 0xffff'8000'dead'b000u);
    // Its delivery was interrupted by an exit: again.
    vmcb_.exit_interrupt_info = fault;
    recover_event(vcpu_);
    EXPECT_EQ(prepared(), fault);
    // INT3 is an instruction: it runs again by itself.
    vmcb_.exit_interrupt_info = injection::valid | injection::type_exception << 8 | 3;
    recover_event(vcpu_);
    EXPECT_EQ(vcpu_.arch.pending.kind, Event::Kind::none);
    vmcb_.exit_interrupt_info = injection::valid | injection::type_software << 8 | 0x80;
    recover_event(vcpu_);
    EXPECT_EQ(vcpu_.arch.pending.kind, Event::Kind::none);
}

}  // namespace
}  // namespace px::svm
