// HPET, PM timer, PIT, and the calibration of the TSC against them.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "drivers/calibrate.hpp"
#include "drivers/hpet.hpp"
#include "drivers/pit.hpp"
#include "drivers/pm_timer.hpp"
#include "tests/unit/drivers/fake_io.hpp"

namespace px {
namespace {

using test::FakeDevice;
using test::FakeMmio;
using test::FakePorts;

/// Time as the machine has it; each bus access takes some of it.
struct Universe {
    double now_ns = 0;
    double tsc_mhz = 2400;
    double access_ns = 700;
    std::mt19937_64 random{42};
    double stall_chance = 0;  ///< of an SMI or a preemption by the emulator's host at an access
    double stall_ns = 0;

    void access() {
        now_ns += access_ns;
        if (stall_chance > 0 && std::uniform_real_distribution<>{0, 1}(random) < stall_chance) now_ns += stall_ns;
    }
    u64 tsc() {
        now_ns += 10;
        return static_cast<u64>(now_ns * tsc_mhz / 1000);
    }
    u64 ticks(double hz) const { return static_cast<u64>(now_ns * hz / 1e9); }
};

struct HpetModel : FakeDevice {
    Universe& universe;
    u64 capabilities = u64{10'000'000} << 32 | 0x8086ull << 16 | 1 << 13 | 1;  // 100 MHz, 64 bits
    u64 configuration = 2;
    bool stopped = false;
    explicit HpetModel(Universe& u) : universe(u) {}

    u64 read(u64 place, unsigned width) override {
        universe.access();
        switch (place) {
        case 0x00: return capabilities;
        case 0x10: return configuration;
        case 0xf0: {
            const u64 count = stopped || !(configuration & 1) ? 5 : universe.ticks(100e6) + 0xffff'fff0;
            return width == 8 ? count : count & 0xffff'ffff;
        }
        default: ADD_FAILURE() << "register " << place; return 0;
        }
    }
    void write(u64 place, unsigned, u64 value) override {
        ASSERT_EQ(place, 0x10u);
        configuration = value;
    }
};

struct PmTimerModel : FakeDevice {
    Universe& universe;
    u32 mask = 0x00ff'ffff;
    unsigned glitch_every = 0;
    unsigned reads = 0;
    explicit PmTimerModel(Universe& u) : universe(u) {}

    u64 read(u64 place, unsigned width) override {
        EXPECT_EQ(place, 0x608u);
        EXPECT_EQ(width, 4u);
        universe.access();
        u32 count = static_cast<u32>(universe.ticks(3579545.0) + 0x00ff'f000) & mask;
        if (glitch_every != 0 && ++reads % glitch_every == 0) count ^= 0x0080'0000;
        // Reserved upper bits of a 24-bit timer may read as anything.
        return mask == ~u32{0} ? count : count | 0xab00'0000;
    }
    void write(u64, unsigned, u64) override { FAIL(); }
};

struct PitModel : FakeDevice {
    Universe& universe;
    u8 gate = 0x02;
    u64 started = 0;
    u16 latched = 0;
    unsigned byte = 0, written = 0;
    u8 mode = 0;
    u8 channel0_command = 0;
    explicit PitModel(Universe& u) : universe(u) {}

    u64 read(u64 place, unsigned) override {
        universe.access();
        if (place == 0x61) return gate;
        EXPECT_EQ(place, 0x42u);
        return byte++ % 2 == 0 ? latched & 0xff : latched >> 8;
    }
    void write(u64 place, unsigned, u64 value) override {
        universe.access();
        switch (place) {
        case 0x61:
            if (!(gate & 1) && (value & 1)) started = universe.ticks(1193182.0);
            gate = static_cast<u8>(value);
            return;
        case 0x43:
            if (value == 0x80) {  // latch channel 2
                latched = static_cast<u16>(0x10000 - (universe.ticks(1193182.0) - started) % 0x10000);
                byte = 0;
            } else if (value >> 6 == 2) {
                mode = value >> 1 & 7;
                EXPECT_EQ(value >> 4 & 3, 3u);
            } else {
                channel0_command = static_cast<u8>(value);
            }
            return;
        case 0x42:
            EXPECT_EQ(value, 0u);
            ++written;
            return;
        default: FAIL() << "port " << place;
        }
    }
};

template <class Clock>
void expect_khz(Universe& universe, Clock& clock, double khz, double tolerance = 1e-4) {
    const auto measured = calibrate_tsc(clock, [&] { return universe.tsc(); });
    ASSERT_TRUE(measured.ok()) << static_cast<int>(measured.error());
    EXPECT_NEAR(static_cast<double>(*measured), khz, khz * tolerance);
}

TEST(Hpet, OpensAndCounts) {
    Universe universe;
    HpetModel model{universe};
    auto hpet = Hpet<FakeMmio>::open(FakeMmio{&model});
    ASSERT_TRUE(hpet.ok());
    EXPECT_EQ(model.configuration, 1u);  // enabled, legacy routing off
    EXPECT_EQ(hpet->period_fs(), 10'000'000u);
    EXPECT_EQ(hpet->mask(), ~u64{0});
    const u64 first = hpet->read();
    EXPECT_GT(hpet->read(), first);
}

TEST(Hpet, RefusesWhatIsNone) {
    Universe universe;
    HpetModel model{universe};
    for (const u64 capabilities : {u64{0}, ~u64{0}, u64{1}, u64{100'000'001} << 32 | 1, u64{10'000'000} << 32}) {
        model.capabilities = capabilities;
        EXPECT_EQ(Hpet<FakeMmio>::open(FakeMmio{&model}).error(), Errno::enodev) << capabilities;
    }
}

TEST(Hpet, NarrowCounterWraps) {
    Universe universe;
    HpetModel model{universe};
    model.capabilities &= ~(u64{1} << 13);
    auto hpet = Hpet<FakeMmio>::open(FakeMmio{&model});
    ASSERT_TRUE(hpet.ok());
    EXPECT_EQ(hpet->mask(), 0xffff'ffffu);
    expect_khz(universe, *hpet, 2'400'000);  // the model starts just before the wrap
}

TEST(PmTimer, ReadsItsWidth) {
    Universe universe;
    PmTimerModel model{universe};
    PmTimer narrow{FakePorts{&model}, 0x608, false};
    EXPECT_EQ(narrow.mask(), 0x00ff'ffffu);
    EXPECT_LE(narrow.read(), narrow.mask());
    model.mask = ~u32{0};
    PmTimer wide{FakePorts{&model}, 0x608, true};
    EXPECT_EQ(wide.mask(), 0xffff'ffffu);
}

TEST(PmTimer, SurvivesGlitches) {
    Universe universe;
    PmTimerModel model{universe};
    model.glitch_every = 5;
    PmTimer timer{FakePorts{&model}, 0x608, false};
    u64 last = timer.read();
    for (int i = 0; i < 1000; ++i) {
        const u64 next = timer.read();
        EXPECT_LT((next - last) & timer.mask(), 100u) << i;
        last = next;
    }
}

TEST(Pit, GateAndCount) {
    Universe universe;
    PitModel model{universe};
    Pit pit{FakePorts{&model}};
    pit.start();
    EXPECT_EQ(model.gate & 3, 1);  // open, speaker off
    EXPECT_EQ(model.mode, 2);
    EXPECT_EQ(model.written, 2u);
    const u64 first = pit.read();
    universe.now_ns += 1e6;
    EXPECT_NEAR(static_cast<double>((pit.read() - first) & pit.mask()), 1193, 10);
    pit.stop();
    EXPECT_EQ(model.gate & 1, 0);
    pit.silence_channel0();
    EXPECT_EQ(model.channel0_command, 0x30);
}

TEST(Calibrate, AgainstEachClock) {
    for (const double mhz : {33.0, 1000.0, 2400.123, 5800.0}) {
        Universe universe;
        universe.tsc_mhz = mhz;
        HpetModel hpet_model{universe};
        auto hpet = Hpet<FakeMmio>::open(FakeMmio{&hpet_model});
        expect_khz(universe, *hpet, mhz * 1000);
        PmTimerModel pm_model{universe};
        PmTimer pm{FakePorts{&pm_model}, 0x608, false};
        expect_khz(universe, pm, mhz * 1000);
        PitModel pit_model{universe};
        Pit pit{FakePorts{&pit_model}};
        pit.start();
        expect_khz(universe, pit, mhz * 1000, 5e-4);
    }
}

TEST(Calibrate, JitterAndStallsAreOutvoted) {
    Universe universe;
    HpetModel model{universe};
    auto hpet = Hpet<FakeMmio>::open(FakeMmio{&model});
    universe.stall_chance = 0.02;
    universe.stall_ns = 300'000;
    expect_khz(universe, *hpet, 2'400'000);
}

TEST(Calibrate, ADeadClockIsAnError) {
    Universe universe;
    universe.access_ns = 10;
    HpetModel model{universe};
    auto hpet = Hpet<FakeMmio>::open(FakeMmio{&model});
    model.stopped = true;
    EXPECT_EQ(calibrate_tsc(*hpet, [&] { return universe.tsc(); }).error(), Errno::etimedout);
}

TEST(Calibrate, ATscThatRunsBackwardsIsAnError) {
    Universe universe;
    HpetModel model{universe};
    auto hpet = Hpet<FakeMmio>::open(FakeMmio{&model});
    EXPECT_EQ(calibrate_tsc(*hpet, [&] { return ~universe.tsc(); }).error(), Errno::erange);
    EXPECT_EQ(calibrate_tsc(*hpet, [&] { return u64{7}; }).error(), Errno::erange);
}

TEST(Calibrate, ARateThatChangesIsAnError) {
    Universe universe;
    HpetModel model{universe};
    auto hpet = Hpet<FakeMmio>::open(FakeMmio{&model});
    // Twice as fast after each 10 ms: no two windows agree.
    const auto drifting = [&] { return static_cast<u64>(universe.tsc() * (1 + universe.now_ns / 1e7)); };
    EXPECT_EQ(calibrate_tsc(*hpet, drifting).error(), Errno::eagain);
}

}  // namespace
}  // namespace px
