// Events on their way into a guest of VT-x.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/x86/vmx_world.hpp"

namespace px::vmx {

const Setup& setup() { return fake_setup; }

namespace {

using hvm::Event;

class VmxInject : public VmxWorld {
protected:
    VmxInject() : VmxWorld({.tpr_shadow = true}) {}
};

TEST_F(VmxInject, AnInterruptWaitsForTheFlagAndTheShadow) {
    request(0x41);
    vcpu_.arch.registers.rflags = 0;
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(windows(), primary::interrupt_window);
    EXPECT_EQ(read(Field32::primary_controls), vcpu_.arch.vmx->primary_controls) << "the VMCS is told";
    vcpu_.arch.registers.rflags = interrupt_flag;
    for (const u32 shadow : {blocking::sti, blocking::mov_ss}) {
        block(shadow);
        EXPECT_EQ(prepared(), 0u);
        EXPECT_EQ(windows(), primary::interrupt_window);
    }
    block(blocking::nmi);
    EXPECT_EQ(prepared(), interruption::valid | 0x41) << "an NMI handler may open interrupts";
    EXPECT_EQ(windows(), 0u);
}

TEST_F(VmxInject, ASecondInterruptAsksForAWindow) {
    request(0x41);
    request(0x81);
    EXPECT_EQ(prepared(), interruption::valid | 0x81);
    EXPECT_EQ(windows(), 0u) << "the first waits for the end of the second";
    vcpu_.arch.apic.end_of_interrupt();
    EXPECT_EQ(prepared(), interruption::valid | 0x41);
}

TEST_F(VmxInject, AnNmiWaitsForTheEndOfTheLastOne) {
    vcpu_.arch.nmi_pending = true;
    block(blocking::nmi);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(windows(), primary::nmi_window);
    // Behind STI an NMI window would open at once, and close again, for ever.
    block(blocking::sti);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(windows(), primary::interrupt_window);
    block(0);
    vcpu_.arch.registers.rflags = 0;
    EXPECT_EQ(prepared(), interruption::valid | interruption::nmi | 2);
    EXPECT_FALSE(vcpu_.arch.nmi_pending);
    EXPECT_EQ(windows(), 0u);
}

TEST_F(VmxInject, AnExceptionGoesFirstAndKeepsWhatItTells) {
    request(0x41);
    hvm::inject_page_fault(vcpu_, 0xffff'8000'dead'b000, 6);
    const u32 fault = interruption::valid | interruption::has_error | interruption::hardware_exception | 14;
    EXPECT_EQ(prepared(), fault);
    EXPECT_EQ(read(Field32::entry_error_code), 6u);
    EXPECT_EQ(fake_cr2, 0xffff'8000'dead'b000u);
    EXPECT_EQ(windows(), primary::interrupt_window) << "the interrupt is next";
    // Its delivery was interrupted by an exit: again, and the interrupt goes on waiting.
    write(Field32::idt_vectoring_error_code, 6);
    repeat_event(vcpu_, fault);
    EXPECT_EQ(prepared(), fault);
    EXPECT_EQ(prepared(), interruption::valid | 0x41);
}

TEST_F(VmxInject, RealModeHasNoErrorCodes) {
    write(FieldNatural::guest_cr0, 0x30);
    hvm::inject_exception(vcpu_, 13, 0);
    EXPECT_EQ(prepared(), interruption::valid | interruption::hardware_exception | 13);
}

TEST_F(VmxInject, WhatInstructionsRaiseRunsAgainByItself) {
    for (const u32 type : {interruption::software_interrupt, interruption::privileged_exception, interruption::software_exception}) {
        repeat_event(vcpu_, interruption::valid | type | 3);
        EXPECT_EQ(vcpu_.arch.pending.kind, Event::Kind::none);
    }
    repeat_event(vcpu_, interruption::valid | interruption::external | 0x51);
    EXPECT_EQ(prepared(), interruption::valid | 0x51);
}

TEST_F(VmxInject, ARepeatedNmiIsNotBlockedByItself) {
    block(blocking::nmi);
    repeat_event(vcpu_, interruption::valid | interruption::nmi | 2);
    EXPECT_EQ(read(Field32::guest_interruptibility), 0u);
    EXPECT_EQ(prepared(), interruption::valid | interruption::nmi | 2);
}

TEST_F(VmxInject, ARequestBelowTheTaskPriorityExitsWhenThatIsLowered) {
    vcpu_.arch.apic.set_task_priority(0x90);
    request(0x81);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(windows(), 0u);
    EXPECT_EQ(read(Field32::tpr_threshold), 9u);
    vcpu_.arch.apic.set_task_priority(0x20);
    EXPECT_EQ(prepared(), interruption::valid | 0x81);
    EXPECT_EQ(read(Field32::tpr_threshold), 0u);
}

}  // namespace
}  // namespace px::vmx
