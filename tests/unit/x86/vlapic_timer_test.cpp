// The virtual local APIC's timer.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::hvm {
namespace {

namespace reg = arch::apic;
constexpr u32 periodic = 1u << 17, deadline = 2u << 17;
constexpr u8 vector = 0x31;

class VlapicTimer : public X86World {
protected:
    VlapicTimer() : domain_(make_domain(1)) {
        timer().write(reg::spurious, 0x1ff);
        timer().write(reg::timer_divide, 0xb);  // by 1: ticks of 10 ns
        timer().write(reg::lvt_timer, vector);
    }
    VirtualLocalApic& timer() { return apic(domain_); }
    /// Whether it has fired since the last look.
    bool fired() {
        const auto next = timer().deliverable();
        if (!next) return false;
        EXPECT_EQ(*next, vector);
        timer().accept(*next);
        timer().end_of_interrupt();
        return true;
    }
    static void at(i64 ns) { advance_to(Nanoseconds{ns}); }
    Domain& domain_;
};

TEST_F(VlapicTimer, FiresOnceAfterItsCount) {
    timer().write(reg::timer_initial, 1000);
    EXPECT_EQ(timer().read(reg::timer_current), 1000u);
    at(4'000);
    EXPECT_EQ(timer().read(reg::timer_current), 600u);
    at(9'999);
    EXPECT_FALSE(fired());
    at(10'000);
    EXPECT_TRUE(fired());
    EXPECT_EQ(timer().read(reg::timer_current), 0u);
    at(1'000'000);
    EXPECT_FALSE(fired());
}
TEST_F(VlapicTimer, DividesByWhatIsAsked) {
    const std::pair<u32, u32> divisors[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
    i64 now = 0;
    for (const auto& [code, divisor] : divisors) {
        timer().write(reg::timer_divide, code);
        timer().write(reg::timer_initial, 1000);
        at(now + 10'000 * i64{divisor} - 1);
        EXPECT_FALSE(fired()) << divisor;
        at(now += 10'000 * i64{divisor});
        EXPECT_TRUE(fired()) << divisor;
    }
}
TEST_F(VlapicTimer, TheLongestCountDoesNotOverflow) {
    timer().write(reg::timer_divide, 10);  // by 128
    timer().write(reg::timer_initial, ~0u);
    EXPECT_EQ(timer().read(reg::timer_current), ~0u);
    constexpr i64 whole = i64{0xffffffff} * 10 * 128;
    at(whole - 1);
    EXPECT_FALSE(fired());
    at(whole);
    EXPECT_TRUE(fired());
}
TEST_F(VlapicTimer, PeriodsRepeatUntilStopped) {
    timer().write(reg::lvt_timer, vector | periodic);
    timer().write(reg::timer_initial, 100'000);  // 1 ms
    for (i64 i = 1; i <= 5; ++i) {
        at(i * 1'000'000 - 1);
        EXPECT_FALSE(fired());
        at(i * 1'000'000);
        EXPECT_TRUE(fired());
        EXPECT_EQ(timer().read(reg::timer_current), 100'000u);
    }
    timer().write(reg::timer_initial, 0);
    at(10'000'000);
    EXPECT_FALSE(fired());
}
TEST_F(VlapicTimer, LostPeriodsAreNotMadeUpFor) {
    timer().write(reg::lvt_timer, vector | periodic);
    timer().write(reg::timer_initial, 100'000);
    at(57'300'000);
    EXPECT_TRUE(fired());
    at(57'300'000);
    EXPECT_FALSE(fired());
    at(58'300'000);
    EXPECT_TRUE(fired());
}
TEST_F(VlapicTimer, AShortPeriodDoesNotKeepTheHostBusy) {
    timer().write(reg::lvt_timer, vector | periodic);
    timer().write(reg::timer_initial, 1);  // 10 ns, says the guest
    unsigned count = 0;
    for (i64 now = 0; now < 10'000'000; now += 1'000) {
        at(now);
        count += fired();
    }
    EXPECT_GT(count, 0u);
    EXPECT_LE(count, 101u) << "at most one in 100 µs";
}
TEST_F(VlapicTimer, AMaskedOneRunsSilently) {
    timer().write(reg::lvt_timer, vector | reg::masked);
    timer().write(reg::timer_initial, 1000);
    at(20'000);
    EXPECT_FALSE(timer().requested());
    EXPECT_EQ(timer().read(reg::timer_current), 0u);
}
TEST_F(VlapicTimer, AnotherModeStopsIt) {
    timer().write(reg::timer_initial, 1000);
    timer().write(reg::lvt_timer, vector | periodic);
    at(20'000);
    EXPECT_FALSE(fired());
    EXPECT_EQ(timer().read(reg::timer_current), 0u);
}
TEST_F(VlapicTimer, ResetStopsIt) {
    timer().write(reg::timer_initial, 1000);
    timer().reset(true);
    timer().write(reg::spurious, 0x1ff);
    timer().write(reg::lvt_timer, vector);
    at(20'000);
    EXPECT_FALSE(fired());
}

class TscDeadline : public VlapicTimer {
protected:
    TscDeadline() { timer().write(reg::lvt_timer, vector | deadline); }
    u64 guest_tsc() { return arch::read_tsc() + domain_.vcpu(VcpuId{0})->arch.tsc_offset; }
};

TEST_F(TscDeadline, FiresWhenTheTimeHasCome) {
    // The real TSC runs on while the fake clock stands: a second of the fake TSC, less what the test takes.
    timer().set_tsc_deadline(guest_tsc() + fake_tsc_khz * 1000);
    EXPECT_NE(timer().tsc_deadline(), 0u);
    at(100'000'000);
    EXPECT_FALSE(fired());
    at(1'000'000'000);
    EXPECT_TRUE(fired());
    EXPECT_EQ(timer().tsc_deadline(), 0u) << "reads 0 once it has fired";
    at(9'000'000'000);
    EXPECT_FALSE(fired());
}
TEST_F(TscDeadline, ThePastIsNow) {
    timer().set_tsc_deadline(1);
    at(1);
    EXPECT_TRUE(fired());
}
TEST_F(TscDeadline, ZeroDisarms) {
    timer().set_tsc_deadline(guest_tsc() + fake_tsc_khz);
    timer().set_tsc_deadline(0);
    at(10'000'000'000);
    EXPECT_FALSE(fired());
}
TEST_F(TscDeadline, TheEndOfTimeIsFarAway) {
    for (const u64 value : {~u64{0}, ~u64{0} - 1, u64{1} << 63}) {
        timer().set_tsc_deadline(value);
        at(100'000'000'000);
        EXPECT_FALSE(fired()) << std::hex << value;
        EXPECT_EQ(timer().tsc_deadline(), value);
    }
}
TEST_F(TscDeadline, OtherModesIgnoreIt) {
    timer().write(reg::lvt_timer, vector);
    timer().set_tsc_deadline(1);
    EXPECT_EQ(timer().tsc_deadline(), 0u);
    at(1'000'000);
    EXPECT_FALSE(fired());
    timer().write(reg::lvt_timer, vector | deadline);
    timer().write(reg::timer_initial, 1000);
    EXPECT_EQ(timer().read(reg::timer_current), 0u) << "and the count does nothing in this one";
    at(2'000'000);
    EXPECT_FALSE(fired());
}

TEST_F(VlapicTimer, ARestoredOneGoesOnWhereItWas) {
    timer().write(reg::timer_initial, 1000);
    at(4'000);
    const auto saved = timer().save();
    timer().reset(false);
    at(1'000'000);
    timer().restore(saved);
    EXPECT_EQ(timer().read(reg::timer_current), 600u);
    at(1'005'999);
    EXPECT_FALSE(fired());
    at(1'006'000);
    EXPECT_TRUE(fired());
}
TEST_F(VlapicTimer, AnExpiredOneDoesNotFireAgainWhenRestored) {
    timer().write(reg::timer_initial, 1000);
    at(10'000);
    EXPECT_TRUE(fired());
    const auto saved = timer().save();
    timer().reset(false);
    timer().restore(saved);
    EXPECT_EQ(timer().read(reg::timer_current), 0u);
    at(10'000'000);
    EXPECT_FALSE(fired());
}

}  // namespace
}  // namespace px::hvm
