// A virtual local APIC that the processor works on: what a VMCS is told, and what comes back.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/vioapic.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "tests/unit/x86/vmx_world.hpp"

namespace px::vmx {
namespace {

namespace reg = arch::apic;
constexpr Abilities everything{.tpr_shadow = true, .apic_access = true, .x2apic = true, .apic_registers = true, .virtual_interrupts = true};
constexpr u32 delivery = secondary::apic_registers | secondary::virtual_interrupts;
constexpr u64 xapic = hvm::VirtualLocalApic::default_base | hvm::VirtualLocalApic::base_enable | hvm::VirtualLocalApic::base_bsp;
constexpr u64 x2 = xapic | hvm::VirtualLocalApic::base_x2;

class VmxApic : public VmxWorld {
protected:
    VmxApic() : VmxWorld(everything) { EXPECT_EQ(prepared(), 0u); }
    static u16 status() { return read(Field16::guest_interrupt_status); }
    u32 mode_controls() { return read(Field32::secondary_controls) & (delivery | secondary::apic_accesses | secondary::x2apic); }
    /// As the processor delivers the highest request.
    void delivered() {
        const u8 vector = static_cast<u8>(status());
        apic().page().remove(reg::request, vector);
        apic().page().add(reg::in_service, vector);
    }
    /// As the processor does a guest's write.
    void guest_writes(u32 offset, u32 value) {
        apic().page().set(offset, value);
        write(FieldNatural::exit_qualification, offset);
        handle_apic_write(vcpu_);
    }
    bool msr_exits(u32 offset, bool writing) {
        const i32 bit = MsrBitmap::bit_of(0x800 + offset / 16) + (writing ? MsrBitmap::writes : 0);
        return (msr_bitmap_.bits[static_cast<usize>(bit) / 8] >> (bit % 8) & 1) != 0;
    }
};

TEST_F(VmxApic, TheProcessorLearnsWhatIsRequestedAndNothingIsInjected) {
    request(0x41);
    EXPECT_TRUE(apic_needs_work(vcpu_, *vcpu_.arch.vmx));
    request(0x81);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(status(), 0x0081);
    EXPECT_FALSE(apic_needs_work(vcpu_, *vcpu_.arch.vmx)) << "the rest is the processor's";
    EXPECT_EQ(windows(), 0u);
    delivered();
    request(0x91);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(status(), 0x8191);
}

TEST_F(VmxApic, WhatWakesAVcpuIsSeenInThePage) {
    request(0x41);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_TRUE(apic().has_deliverable()) << "HLT must not block";
    apic().page().set(reg::task_priority, 0x40);
    EXPECT_FALSE(apic().has_deliverable());
    apic().page().set(reg::task_priority, 0);
    delivered();
    EXPECT_FALSE(apic().has_deliverable());
}

TEST_F(VmxApic, WhatIsNoneOfTheApicsIsStillInjected) {
    domain_.arch.callback = {hvm::Callback::Via::vector, 0xf3};
    vcpu_.info().evtchn_upcall_pending = 1;
    request(0x81);
    EXPECT_EQ(prepared(), interruption::valid | 0xf3);
    EXPECT_EQ(status(), 0x0081);
    vcpu_.arch.registers.rflags = 0;
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(windows(), primary::interrupt_window) << "which holds back the processor's own delivery as well";
    vcpu_.arch.nmi_pending = true;
    EXPECT_EQ(prepared(), interruption::valid | interruption::nmi | 2);
}

TEST_F(VmxApic, ALevelTriggeredInterruptEndsWithAnExit) {
    class Listener final : public hvm::PinListener {
    public:
        void pin_changed(u32, const ioapic::Entry&) override {}
        void pin_ended(u32 gsi) override { ended.push_back(gsi); }
        std::vector<u32> ended;
    } listener;
    auto io_apic = make<hvm::VirtualIoApic>(domain_, u8{1}, 0u, 24u, &listener);
    ASSERT_TRUE(io_apic.ok());
    hvm::VirtualIoApic& device = **io_apic;
    ASSERT_TRUE(domain_.arch.io_apics.push_back(std::move(*io_apic)).ok());
    device.write(vcpu_, 0, 4, 0x10 + 2 * 5);
    device.write(vcpu_, 0x10, 4, 1u << 15 | 0x72);  // level, vector 72h, to APIC 0
    device.set_line(5, true);
    request(0x51);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(read(Field64::eoi_exit_1), u64{1} << (0x72 - 64));
    EXPECT_EQ(read(Field64::eoi_exit_0) | read(Field64::eoi_exit_2) | read(Field64::eoi_exit_3), 0u);
    delivered();
    apic().page().remove(reg::in_service, 0x72);
    device.set_line(5, false);
    write(FieldNatural::exit_qualification, 0x72);
    handle_virtualized_eoi(vcpu_);
    EXPECT_EQ(listener.ended, std::vector<u32>{5});
    // The same vector, by an edge: no more exits.
    request(0x72);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(read(Field64::eoi_exit_1), 0u);
}

TEST_F(VmxApic, AWrittenRegisterKeepsItsRules) {
    guest_writes(reg::lvt_lint0, ~0u);
    EXPECT_EQ(apic().read(reg::lvt_lint0), 0x0001a7ffu);
    guest_writes(reg::id, 0x55);
    EXPECT_EQ(apic().read(reg::id), 0u) << "an id is not the guest's to choose";
    guest_writes(reg::logical_destination, ~0u);
    EXPECT_EQ(apic().read(reg::logical_destination), 0xff000000u);
    apic().page().set(reg::command_high, 0);
    guest_writes(reg::command_low, 0x4000 | 0x61);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(status(), 0x0061) << "an interrupt to itself";
    guest_writes(reg::command_low, 0x4000 | 1u << 18 | 5);
    guest_writes(reg::error, 0x1234);
    EXPECT_EQ(apic().page().get(reg::error), 1u << 5) << "what the write latched, not what it said";
}

TEST_F(VmxApic, ATimersModeIsTheOneThatWasWritten) {
    guest_writes(reg::timer_divide, 0xb);
    guest_writes(reg::lvt_timer, 0x31);
    guest_writes(reg::timer_initial, 1000);
    EXPECT_EQ(apic().read(reg::timer_current), 1000u);
    guest_writes(reg::lvt_timer, 0x31 | 1u << 17);
    EXPECT_EQ(apic().read(reg::timer_current), 0u) << "another mode: it stops, though the page held the new entry before we saw it";
    guest_writes(reg::timer_initial, 1000);
    guest_writes(reg::lvt_timer, 0x32 | 1u << 17);
    EXPECT_NE(apic().read(reg::timer_current), 0u) << "the same mode";
}

TEST_F(VmxApic, ATurnedOffApicIsRequestedNothing) {
    request(0x41);
    guest_writes(reg::spurious, 0xff);
    EXPECT_TRUE(apic_needs_work(vcpu_, *vcpu_.arch.vmx));
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(status(), 0u);
    guest_writes(reg::spurious, 0x1ff);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(status(), 0x41);
    apic().reset(true);
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(status(), 0u) << "after INIT";
}

TEST_F(VmxApic, TheControlsFollowTheMode) {
    EXPECT_EQ(mode_controls(), secondary::apic_accesses | delivery);
    EXPECT_TRUE(msr_exits(reg::task_priority, false) && msr_exits(reg::eoi, true));
    ASSERT_TRUE(apic().set_base(x2).ok());
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(mode_controls(), secondary::x2apic | delivery);
    EXPECT_FALSE(owed_.nothing()) << "translations may still virtualize accesses";
    for (const u32 offset : {reg::task_priority, reg::eoi, reg::self_ipi}) EXPECT_FALSE(msr_exits(offset, true)) << std::hex << offset;
    for (const u32 offset : {reg::command_low, reg::lvt_timer, reg::timer_initial, reg::spurious})
        EXPECT_TRUE(msr_exits(offset, true)) << std::hex << offset;
    for (const u32 offset : {reg::id, reg::version, reg::processor_priority, reg::in_service, reg::lvt_timer})
        EXPECT_FALSE(msr_exits(offset, false));
    // What the page doesn't hold, or holds in another shape, and what faults.
    for (const u32 offset : {reg::timer_current, reg::command_low, reg::eoi, reg::destination_format, reg::command_high, reg::self_ipi}) {
        EXPECT_TRUE(msr_exits(offset, false)) << std::hex << offset;
    }
    EXPECT_EQ(prepared(), 0u);
    EXPECT_TRUE(owed_.nothing());
    ASSERT_TRUE(apic().set_base(hvm::VirtualLocalApic::default_base).ok());
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(mode_controls(), u32{secondary::apic_accesses});
    for (u32 offset = 0; offset < 0x400; offset += 16) EXPECT_TRUE(msr_exits(offset, false) && msr_exits(offset, true));
}

TEST_F(VmxApic, ThePageIsMappedAtItsFirstUse) {
    const Gpaddr address{hvm::VirtualLocalApic::default_base};
    EXPECT_EQ(domain_.physmap.lookup(to_gfn(address)).type, GfnType::invalid);
    EXPECT_FALSE(map_apic_page(vcpu_, Gpaddr{address.raw + page_size}));
    EXPECT_TRUE(map_apic_page(vcpu_, Gpaddr{address.raw + 0x80}));
    const GfnEntry entry = domain_.physmap.lookup(to_gfn(address));
    EXPECT_EQ(entry.type, GfnType::mmio_direct);
    EXPECT_EQ(to_paddr(entry.mfn).raw, read(Field64::apic_access));
    ASSERT_TRUE(apic().set_base(x2).ok());
    EXPECT_FALSE(map_apic_page(vcpu_, address)) << "nothing is there";
}

TEST_F(VmxApic, OnlyPostedEdgesLeaveAGuestAlone) {
    // The vCPU runs on CPU 1, which we tell from CPU 0.
    vcpu_.unit.policy.home.store(1);
    vcpu_.unit.policy.on_cpu.store(true);
    hvm::posted_notices.clear();
    std::atomic<u32>& interrupts = per_cpu(CpuId{1})->arch.interrupts;
    const u32 before = interrupts;
    request(0x41);
    EXPECT_EQ(hvm::posted_notices, std::vector<u32>{1});
    EXPECT_EQ(interrupts, before);
    request(0x41);
    EXPECT_EQ(hvm::posted_notices.size(), 1u) << "it is there already";
    request(0x51, true);
    EXPECT_EQ(interrupts, before + 1) << "its end must exit, which the owner arranges";
    request(0x61);
    EXPECT_EQ(interrupts, before + 2) << "the level is still to be seen";
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(read(Field64::eoi_exit_1) | read(Field64::eoi_exit_0), u64{1} << (0x51 - 64));
    vcpu_.arch.nmi_pending = true;
    request(0x71);
    EXPECT_EQ(interrupts, before + 3) << "an NMI isn't posted";
    EXPECT_EQ(hvm::posted_notices.size(), 1u);
    vcpu_.unit.policy.on_cpu.store(false);
    vcpu_.unit.policy.home.store(0);
}

class PostingVmx : public VmxApic {
protected:
    PostingVmx() {
        fake_setup.abilities.posted_interrupts = true;
        vcpu_.arch.vmx->pin_controls = pin::external_interrupt;
        EXPECT_TRUE(set_up_apic(vcpu_).ok());
    }
};
TEST_F(PostingVmx, TheProcessorKnowsWhereInterruptsArePosted) {
    EXPECT_EQ(read(Field32::pin_controls), pin::external_interrupt | pin::posted_interrupts);
    EXPECT_EQ(read(Field16::posted_interrupt_vector), u16{arch::vector::posted});
    const u64 descriptor = read(Field64::posted_interrupt_descriptor);
    EXPECT_EQ(descriptor % 64, 0u);
    request(0x41);
    auto* const words = static_cast<u64*>(to_virtual(to_mfn(Paddr{descriptor}))) + descriptor % page_size / 8;
    EXPECT_EQ(words[1], u64{1} << (0x41 - 64)) << "a bit per vector [intel/sdm3 30.6]";
    EXPECT_EQ(words[4], 1u) << "outstanding";
    ASSERT_TRUE(apic().set_base(hvm::VirtualLocalApic::default_base).ok());
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(read(Field32::pin_controls), pin::external_interrupt) << "no posting where we deliver";
}

class OlderVmx : public VmxWorld {
protected:
    OlderVmx() : VmxWorld({.tpr_shadow = true, .apic_access = true}) {}
};
TEST_F(OlderVmx, WeDeliverWhereTheProcessorCannot) {
    request(0x41);
    EXPECT_TRUE(apic_needs_work(vcpu_, *vcpu_.arch.vmx));
    EXPECT_EQ(prepared(), interruption::valid | 0x41);
    EXPECT_EQ(read(Field16::guest_interrupt_status), 0u);
    EXPECT_EQ(read(Field32::secondary_controls), u32{secondary::apic_accesses});
    ASSERT_TRUE(apic().set_base(x2).ok());
    EXPECT_EQ(prepared(), 0u);
    EXPECT_EQ(read(Field32::secondary_controls), 0u);
}

}  // namespace
}  // namespace px::vmx
