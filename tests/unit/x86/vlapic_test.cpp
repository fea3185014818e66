// The virtual local APIC: what a guest may write, which interrupt comes next, and whom a command reaches.
//
// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <set>

#include "tests/unit/x86/fake_machine.hpp"

namespace px::hvm {
namespace {

namespace reg = arch::apic;
constexpr u32 x2apic(u32 offset) { return 0x800 + offset / 16; }
constexpr u64 base_address = VirtualLocalApic::default_base;
constexpr u64 off = base_address, xapic = base_address | VirtualLocalApic::base_enable, x2 = xapic | VirtualLocalApic::base_x2;

class VlapicTest : public X86World {
protected:
    explicit VlapicTest(u32 vcpus = 4) : domain_(make_domain(1, vcpus)) {
        for (u32 i = 0; i < vcpus; ++i) lapic(i).write(reg::spurious, 0x1ff);
    }
    VirtualLocalApic& lapic(u32 vcpu = 0) { return apic(domain_, vcpu); }
    bool is_requested(u32 vcpu, u8 vector) { return (lapic(vcpu).read(reg::request + vector / 32 * 16u) >> (vector % 32) & 1) != 0; }
    std::set<u32> requested_by(u8 vector) {
        std::set<u32> vcpus;
        for (u32 i = 0; i < domain_.settings.max_vcpus; ++i)
            if (is_requested(i, vector)) vcpus.insert(i);
        return vcpus;
    }
    void all_to_x2() {
        for (u32 i = 0; i < domain_.settings.max_vcpus; ++i) ASSERT_TRUE(lapic(i).set_base(x2 | (i == 0 ? 0x100 : 0)).ok());
    }
    Domain& domain_;
};

TEST_F(VlapicTest, BeginsAsAfterReset) {
    Domain& other = make_domain(2, 2);
    VirtualLocalApic& fresh = apic(other, 1);
    EXPECT_EQ(fresh.base(), xapic) << "the second vCPU isn't the boot processor";
    EXPECT_EQ(apic(other, 0).base(), xapic | VirtualLocalApic::base_bsp);
    EXPECT_FALSE(fresh.enabled_by_software());
    EXPECT_EQ(fresh.read(reg::id), 2u << 24);
    EXPECT_EQ(fresh.read(reg::spurious), 0xffu);
    EXPECT_EQ(fresh.read(reg::destination_format), ~0u);
    for (const u32 lvt : {reg::lvt_timer, reg::lvt_thermal, reg::lvt_performance, reg::lvt_lint0, reg::lvt_lint1, reg::lvt_error}) {
        EXPECT_EQ(fresh.read(lvt), reg::masked);
    }
}

// [intel/sdm3 11.12.5, figure 11-27]
TEST_F(VlapicTest, ModesChangeOnlyAlongTheArrows) {
    const auto goes = [&](u64 from, u64 to) {
        VirtualLocalApic& one = lapic(1);
        (void)one.set_base(off).ok();
        EXPECT_TRUE(from == off || one.set_base(xapic).ok());
        EXPECT_TRUE(from != x2 || one.set_base(x2).ok());
        EXPECT_EQ(one.base(), from);
        return one.set_base(to).ok();
    };
    EXPECT_TRUE(goes(off, off) && goes(off, xapic) && goes(xapic, xapic) && goes(xapic, x2) && goes(x2, x2));
    EXPECT_TRUE(goes(x2, off) && goes(xapic, off));
    EXPECT_FALSE(goes(off, x2));
    EXPECT_FALSE(goes(x2, xapic));
    for (const u64 from : {off, xapic, x2}) {
        EXPECT_FALSE(goes(from, base_address | VirtualLocalApic::base_x2)) << "x2 without enable";
        EXPECT_FALSE(goes(from, from | 1)) << "reserved bit";
        EXPECT_FALSE(goes(from, from | u64{1} << 63));
        EXPECT_FALSE(goes(from, from + 0x1000)) << "the page doesn't move";
        EXPECT_EQ(lapic(1).base(), from) << "a refused write changes nothing";
    }
    EXPECT_TRUE(lapic(1).set_base(off).ok());
    EXPECT_TRUE(lapic(1).set_base(xapic | VirtualLocalApic::base_bsp).ok());
    EXPECT_EQ(lapic(1).base() & VirtualLocalApic::base_bsp, 0u) << "who boots isn't the guest's to say";
}

TEST_F(VlapicTest, X2LogicalIdsFollowFromTheIdAndSurviveInit) {
    all_to_x2();
    for (u32 vcpu = 0; vcpu < 4; ++vcpu) {
        const u32 id = vcpu * 2, logical = id / 16 << 16 | 1u << id % 16;
        EXPECT_EQ(lapic(vcpu).read_msr(x2apic(reg::logical_destination)).value_or(0), logical);
        lapic(vcpu).reset(true);
        EXPECT_TRUE(lapic(vcpu).is_x2());
        EXPECT_EQ(lapic(vcpu).read_msr(x2apic(reg::logical_destination)).value_or(0), logical) << "after INIT";
    }
}

TEST_F(VlapicTest, PrioritiesAgreeWithAModel) {
    // Requests, acceptance, end of interrupt and task priority in random order, against two sets.
    std::mt19937 random(5);
    VirtualLocalApic& apic = lapic();
    std::set<u8> requested, serving;
    u32 task_priority = 0;
    for (unsigned step = 0; step < 20000; ++step) {
        const u8 vector = static_cast<u8>(16 + random() % 240);
        switch (random() % 4) {
        case 0:
            apic.request(vector, false);
            requested.insert(vector);
            break;
        case 1:
            if (const auto next = apic.deliverable()) {
                apic.accept(*next);
                requested.erase(*next);
                serving.insert(*next);
            }
            break;
        case 2:
            apic.end_of_interrupt();
            if (!serving.empty()) serving.erase(std::prev(serving.end()));
            break;
        default: task_priority = random() % 256; apic.write(reg::task_priority, task_priority);
        }
        const u32 served = serving.empty() ? 0 : *serving.rbegin() & 0xf0u;
        const u32 priority = (task_priority & 0xf0) >= served ? task_priority : served;
        ASSERT_EQ(apic.read(reg::processor_priority), priority);
        std::optional<u8> expected;
        if (!requested.empty() && (*requested.rbegin() & 0xf0u) > (priority & 0xf0)) expected = *requested.rbegin();
        ASSERT_EQ(apic.deliverable(), expected);
        const u32 highest = requested.empty() ? 0 : *requested.rbegin() & 0xf0u;
        ASSERT_EQ(apic.waits_for_task_priority(), !requested.empty() && highest > served && highest <= (task_priority & 0xf0u));
        ASSERT_EQ(apic.requested(), !requested.empty());
    }
}

TEST_F(VlapicTest, VectorsBelow16AreNeverPending) {
    for (unsigned vector = 0; vector < 16; ++vector) {
        lapic().request(static_cast<u8>(vector), false);
        EXPECT_FALSE(lapic().requested());
        EXPECT_EQ(lapic().deliverable(), std::nullopt);
    }
}

TEST_F(VlapicTest, ATurnedOffApicDeliversNothing) {
    lapic().request(0x40, false);
    EXPECT_EQ(lapic().deliverable(), 0x40);
    lapic().write(reg::spurious, 0xff);
    EXPECT_EQ(lapic().deliverable(), std::nullopt);
    lapic().write(reg::spurious, 0x1ff);
    EXPECT_EQ(lapic().deliverable(), 0x40) << "what was pending still is";
    ASSERT_TRUE(lapic().set_base(off | VirtualLocalApic::base_bsp).ok());
    EXPECT_EQ(lapic().deliverable(), std::nullopt);
}

TEST_F(VlapicTest, LocalVectorsStayMaskedWhileTurnedOff) {
    lapic().write(reg::spurious, 0xff);
    lapic().write(reg::lvt_timer, 0x31);
    EXPECT_EQ(lapic().read(reg::lvt_timer), reg::masked | 0x31);
    lapic().write(reg::spurious, 0x1ff);
    lapic().write(reg::lvt_timer, 0x31);
    EXPECT_EQ(lapic().read(reg::lvt_timer), 0x31u);
    lapic().write(reg::spurious, 0xff);
    EXPECT_EQ(lapic().read(reg::lvt_timer), reg::masked | 0x31);
}

// [intel/sdm3 figure 11-8]: delivery status and remote IRR are the hardware's.
TEST_F(VlapicTest, RegistersKeepOnlyTheirWritableBits) {
    const std::pair<u32, u32> writable[] = {
        {reg::lvt_timer, 0x000700ff}, {reg::lvt_thermal, 0x000107ff},         {reg::lvt_performance, 0x000107ff},
        {reg::lvt_lint0, 0x0001a7ff}, {reg::lvt_lint1, 0x0001a7ff},           {reg::lvt_error, 0x000100ff},
        {reg::task_priority, 0xff},   {reg::logical_destination, 0xff000000}, {reg::spurious, 0x1ff},
        {reg::timer_divide, 0xb},     {reg::command_high, 0xff000000}};
    for (const auto& [offset, bits] : writable) {
        lapic().write(offset, ~0u);
        EXPECT_EQ(lapic().read(offset), bits) << std::hex << offset;
        lapic().write(offset, 0);
        EXPECT_EQ(lapic().read(offset), 0u) << std::hex << offset;
        lapic().write(reg::spurious, 0x1ff);
    }
    lapic().write(reg::destination_format, 0);
    EXPECT_EQ(lapic().read(reg::destination_format), 0x0fffffffu);
}

TEST_F(VlapicTest, RandomWritesBreakNothing) {
    std::mt19937 random(6);
    for (unsigned step = 0; step < 50000; ++step) {
        VirtualLocalApic& apic = lapic(random() % 4);
        const u32 offset = random() % 2 == 0 ? random() % 0x100 * 16 : random() % 0x1000;
        // No INIT or startup: their effects have tests of their own.
        u32 value = random();
        if (offset / 16 == reg::command_low / 16 && (value >> 8 & 7) >= 5) value &= ~0x700u;
        if (random() % 8 == 0) value = 0;
        if (random() % 2 == 0) apic.write(offset, value);
        else (void)apic.write_msr(0x800 + offset / 16, value).ok();
        (void)apic.read(random() % 0x1000);
        (void)apic.read_msr(0x800 + random() % 0x100).ok();
        if (const auto next = apic.deliverable()) apic.accept(*next);
        ASSERT_EQ(apic.read(reg::version), 0x50014u);
        if (step % 1000 == 0) {
            advance_to(Nanoseconds{static_cast<i64>(step) * 1'000'000});
            const u32 which = random() % 4;
            (void)lapic(which).set_base(random() % 2 == 0 ? x2 : off).ok();
            (void)lapic(which).set_base(xapic).ok();
        }
    }
    for (u32 i = 0; i < 4; ++i) EXPECT_EQ(lapic(i).id(), i * 2);
}

TEST_F(VlapicTest, X2RegistersFaultWhereTheyMust) {
    EXPECT_EQ(lapic().read_msr(x2apic(reg::id)).error(), Errno::efault) << "not in xAPIC mode";
    EXPECT_EQ(lapic().write_msr(x2apic(reg::eoi), 0).error(), Errno::efault);
    all_to_x2();
    const std::set<u32> readable_only{reg::id, reg::version, reg::processor_priority, reg::logical_destination, reg::timer_current};
    const std::set<u32> writable_only{reg::eoi, reg::self_ipi};
    const std::set<u32> both{reg::task_priority,   reg::spurious,  reg::error,     reg::command_low, reg::lvt_timer,     reg::lvt_thermal,
                             reg::lvt_performance, reg::lvt_lint0, reg::lvt_lint1, reg::lvt_error,   reg::timer_initial, reg::timer_divide};
    for (u32 offset = 0; offset < 0x1000; offset += 16) {
        const bool bits = offset >= reg::in_service && offset < reg::request + 0x80u;
        EXPECT_EQ(lapic().read_msr(x2apic(offset)).ok(), bits || readable_only.contains(offset) || both.contains(offset))
            << std::hex << offset;
        const u64 value = offset == reg::self_ipi ? 0x40 : 0;
        EXPECT_EQ(lapic().write_msr(x2apic(offset), value).ok(), writable_only.contains(offset) || both.contains(offset))
            << std::hex << offset;
        EXPECT_TRUE(offset == reg::command_low || !lapic().write_msr(x2apic(offset), u64{1} << 32).ok()) << std::hex << offset;
    }
    EXPECT_FALSE(lapic().write_msr(x2apic(reg::eoi), 1).ok());
    EXPECT_FALSE(lapic().write_msr(x2apic(reg::error), 1).ok());
    EXPECT_FALSE(lapic().write_msr(x2apic(reg::self_ipi), 0x100).ok());
    EXPECT_FALSE(lapic().write_msr(x2apic(reg::self_ipi), 0xf).ok());
    const std::pair<u32, u32> reserved[] = {{reg::task_priority, 1u << 8}, {reg::spurious, 1u << 10},  {reg::timer_divide, 1u << 2},
                                            {reg::lvt_timer, 1u << 8},     {reg::lvt_lint0, 1u << 17}, {reg::lvt_error, 1u << 8}};
    for (const auto& [offset, bit] : reserved) EXPECT_FALSE(lapic().write_msr(x2apic(offset), bit).ok()) << std::hex << offset;
    EXPECT_TRUE(lapic().write_msr(x2apic(reg::lvt_lint0), 0x1'7700).ok()) << "read-only bits are ignored";
}

TEST_F(VlapicTest, TheErrorRegisterShowsWhatItsWriteLatched) {
    lapic().write(reg::command_low, 0x4000 | 1u << 18 | 5);  // self, vector 5
    EXPECT_EQ(lapic().read(reg::error), 0u);
    lapic().write(reg::error, 0);
    EXPECT_EQ(lapic().read(reg::error), 1u << 5) << "illegal vector sent";
    lapic().write(reg::error, 0);
    EXPECT_EQ(lapic().read(reg::error), 0u);
    EXPECT_FALSE(lapic().requested());
}

// Whom a destination means. [intel/sdm3 11.6.2]
TEST_F(VlapicTest, PhysicalDestinations) {
    EXPECT_TRUE(lapic(1).matches(2, false));
    EXPECT_FALSE(lapic(1).matches(1, false));
    EXPECT_TRUE(lapic(1).matches(0xff, false));
    all_to_x2();
    EXPECT_TRUE(lapic(1).matches(2, false));
    EXPECT_FALSE(lapic(1).matches(0xff, false)) << "an id like any other";
    EXPECT_TRUE(lapic(1).matches(~0u, false));
}
TEST_F(VlapicTest, FlatLogicalDestinations) {
    lapic(1).write(reg::logical_destination, 0x06000000);
    for (u32 destination = 0; destination < 256; ++destination) EXPECT_EQ(lapic(1).matches(destination, true), (destination & 6) != 0);
}
TEST_F(VlapicTest, ClusteredLogicalDestinations) {
    lapic(1).write(reg::destination_format, 0);
    lapic(1).write(reg::logical_destination, 0x26000000);  // cluster 2, members 1 and 2
    for (u32 destination = 0; destination < 256; ++destination) {
        const bool expected = destination == 0xff || (destination >> 4 == 2 && (destination & 6) != 0);
        EXPECT_EQ(lapic(1).matches(destination, true), expected) << std::hex << destination;
    }
}
TEST_F(VlapicTest, X2LogicalDestinations) {
    all_to_x2();
    EXPECT_TRUE(lapic(2).matches(1u << 4, true)) << "id 4: cluster 0, member 4";
    EXPECT_FALSE(lapic(2).matches(1u << 5, true));
    EXPECT_FALSE(lapic(2).matches(1u << 16 | 1u << 4, true)) << "another cluster";
    EXPECT_TRUE(lapic(2).matches(0xffff, true));
    EXPECT_TRUE(lapic(2).matches(~0u, true));
}

TEST_F(VlapicTest, ShorthandsReachWhomTheyName) {
    lapic(1).write(reg::command_low, 0x4000 | 1u << 18 | 0x41);
    EXPECT_EQ(requested_by(0x41), (std::set<u32>{1}));
    lapic(1).write(reg::command_low, 0x4000 | 2u << 18 | 0x42);
    EXPECT_EQ(requested_by(0x42), (std::set<u32>{0, 1, 2, 3}));
    lapic(1).write(reg::command_low, 0x4000 | 3u << 18 | 0x43);
    EXPECT_EQ(requested_by(0x43), (std::set<u32>{0, 2, 3}));
}
TEST_F(VlapicTest, CommandsReachTheirDestination) {
    lapic(0).write(reg::command_high, 4u << 24);
    lapic(0).write(reg::command_low, 0x4000 | 0x51);
    EXPECT_EQ(requested_by(0x51), (std::set<u32>{2}));
    lapic(0).write(reg::command_high, 0xffu << 24);
    lapic(0).write(reg::command_low, 0x4000 | 0x52);
    EXPECT_EQ(requested_by(0x52), (std::set<u32>{0, 1, 2, 3}));
    lapic(0).write(reg::command_low, 0x4000 | 1u << 8 | 0x53);
    EXPECT_EQ(requested_by(0x53).size(), 1u) << "lowest priority: one of them";
    lapic(0).write(reg::command_high, 8u << 24);
    lapic(0).write(reg::command_low, 0x4000 | 0x54);
    EXPECT_TRUE(requested_by(0x54).empty()) << "nobody there";
    all_to_x2();
    ASSERT_TRUE(lapic(0).write_msr(x2apic(reg::command_low), u64{6} << 32 | 0x55).ok());
    EXPECT_EQ(requested_by(0x55), (std::set<u32>{3}));
}
TEST_F(VlapicTest, ATurnedOffApicIsNotReached) {
    lapic(2).write(reg::spurious, 0xff);
    lapic(0).write(reg::command_low, 0x4000 | 2u << 18 | 0x61);
    EXPECT_EQ(requested_by(0x61), (std::set<u32>{0, 1, 3}));
}

TEST_F(VlapicTest, AnNmiIsNoted) {
    lapic(0).write(reg::command_high, 2u << 24);
    lapic(0).write(reg::command_low, 0x4000 | 4u << 8);
    for (u32 i = 0; i < 4; ++i) EXPECT_EQ(domain_.vcpu(VcpuId{i})->arch.nmi_pending, i == 1);
}

TEST_F(VlapicTest, InitAndStartupBringAVcpuUp) {
    Vcpu& target = *domain_.vcpu(VcpuId{1});
    lapic(1).request(0x40, false);
    lapic(0).write(reg::command_high, 2u << 24);
    lapic(0).write(reg::command_low, 0x4000 | 0x8000 | 5u << 8);
    EXPECT_TRUE(target.is_halted(Vcpu::down));
    EXPECT_TRUE(target.arch.waits_for_startup);
    EXPECT_FALSE(lapic(1).enabled_by_software());
    EXPECT_FALSE(lapic(1).requested());
    lapic(0).write(reg::command_low, 0x8000 | 5u << 8);
    EXPECT_TRUE(target.is_halted(Vcpu::down)) << "the deassertion is for processors of long ago";
    lapic(0).write(reg::command_low, 0x4000 | 6u << 8 | 0x9a);
    EXPECT_FALSE(target.is_halted(Vcpu::down));
    EXPECT_EQ(fake_of(target).segments.at(Segment::cs).base, 0x9a000u);
    // A second one, as processors of old needed, changes nothing.
    target.arch.registers.rip = 0x1234;
    lapic(0).write(reg::command_low, 0x4000 | 6u << 8 | 0x20);
    EXPECT_EQ(target.arch.registers.rip, 0x1234u);
    EXPECT_EQ(fake_of(target).segments.at(Segment::cs).base, 0x9a000u);
}
TEST_F(VlapicTest, NobodyInitialisesItself) {
    lapic(0).write(reg::command_low, 0x4000 | 2u << 18 | 5u << 8);
    EXPECT_FALSE(domain_.vcpu(VcpuId{0})->is_halted(Vcpu::down));
    for (u32 i = 1; i < 4; ++i) EXPECT_TRUE(domain_.vcpu(VcpuId{i})->is_halted(Vcpu::down));
}

TEST_F(VlapicTest, WhatIsSavedComesBack) {
    VirtualLocalApic& from = lapic(1);
    from.write(reg::logical_destination, 0x12000000);
    from.write(reg::task_priority, 0x21);
    from.write(reg::lvt_lint0, 0x700);
    from.write(reg::timer_divide, 3);
    from.write(reg::lvt_timer, 0x35);
    from.write(reg::command_high, 0x07000000);
    from.request(0xf1, true);
    from.request(0x41, false);
    from.accept(0xf1);
    const VirtualLocalApic::Saved saved = from.save();
    from.reset(false);
    from.restore(saved);
    const VirtualLocalApic::Saved again = from.save();
    EXPECT_EQ(again.base, saved.base);
    EXPECT_EQ(again.registers, saved.registers);
    EXPECT_EQ(from.read(reg::processor_priority), 0xf0u);
    EXPECT_TRUE(is_requested(1, 0x41));
}

class ManyVcpus : public VlapicTest {
protected:
    ManyVcpus() : VlapicTest(128) {}
};
TEST_F(ManyVcpus, EachCanBeReachedInEitherMode) {
    for (u32 i = 0; i < 128; ++i) {
        lapic(0).write(reg::command_high, i * 2 << 24);
        lapic(0).write(reg::command_low, 0x4000 | 0x70);
        EXPECT_TRUE(is_requested(i, 0x70)) << i;
    }
    all_to_x2();
    for (u32 i = 0; i < 128; ++i) {
        const u64 logical = lapic(i).read_msr(x2apic(reg::logical_destination)).value_or(0);
        ASSERT_TRUE(lapic(0).write_msr(x2apic(reg::command_low), logical << 32 | 1u << 11 | 0x71).ok());
        EXPECT_TRUE(is_requested(i, 0x71)) << i;
        EXPECT_EQ(requested_by(0x71).size(), i + 1) << "and nobody else";
    }
}

}  // namespace
}  // namespace px::hvm
