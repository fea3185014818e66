// The virtual I/O APIC.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/vioapic.hpp"

#include <random>

#include "tests/unit/x86/fake_machine.hpp"

namespace px::hvm {
namespace {

constexpr u32 gsi_base = 16, pins = 100;
constexpr u64 masked = 1u << 16, level = 1u << 15, remote_irr = 1u << 14, low_active = 1u << 13, logical = 1u << 11, lowest = 1u << 8;
constexpr u64 to(u64 destination) { return destination << 56; }

/// Notes what it hears, and looks back at the I/O APIC: which must not hold its lock then.
struct Listener final : PinListener {
    void pin_changed(u32 gsi, const ioapic::Entry& entry) override {
        changed.push_back({gsi, std::bit_cast<u64>(entry)});
        looks += static_cast<unsigned>(io_apic->read(*vcpu, 0, 4) <= 0xff);
    }
    void pin_ended(u32 gsi) override {
        ended.push_back(gsi);
        if (lowers) io_apic->set_line(gsi, false);
    }
    VirtualIoApic* io_apic = nullptr;
    Vcpu* vcpu = nullptr;
    std::vector<std::pair<u32, u64>> changed;
    std::vector<u32> ended;
    unsigned looks = 0;
    bool lowers = false;
};

static_assert(VirtualIoApic::max_pins == 120);

class VioapicTest : public X86World {
protected:
    VioapicTest() : domain_(make_domain(1, 3)), vcpu_(*domain_.vcpu(VcpuId{0})) {
        auto box = make<VirtualIoApic>(domain_, u8{5}, gsi_base, pins, &listener_);
        EXPECT_TRUE(box.ok());
        EXPECT_TRUE(domain_.arch.io_apics.push_back(std::move(*box)).ok());
        listener_.io_apic = &io();
        listener_.vcpu = &vcpu_;
        for (u32 i = 0; i < 3; ++i) apic(domain_, i).write(arch::apic::spurious, 0x1ff);
    }
    VirtualIoApic& io() { return *domain_.arch.io_apics[0]; }
    u32 read(u32 index) {
        io().write(vcpu_, 0x00, 4, index);
        return static_cast<u32>(io().read(vcpu_, 0x10, 4));
    }
    void write(u32 index, u32 value) {
        io().write(vcpu_, 0x00, 4, index);
        io().write(vcpu_, 0x10, 4, value);
    }
    void set_pin(u32 pin, u64 entry) {
        write(0x10 + pin * 2 + 1, static_cast<u32>(entry >> 32));
        write(0x10 + pin * 2, static_cast<u32>(entry));
    }
    u64 pin(u32 pin) { return u64{read(0x10 + pin * 2 + 1)} << 32 | read(0x10 + pin * 2); }
    /// Takes the interrupt that is due, as the vCPU would; nothing: none is.
    std::optional<u8> take(u32 vcpu = 0) {
        const auto vector = apic(domain_, vcpu).deliverable();
        if (vector) apic(domain_, vcpu).accept(*vector);
        return vector;
    }
    void end(u32 vcpu = 0) { apic(domain_, vcpu).end_of_interrupt(); }

    Listener listener_;
    Domain& domain_;
    Vcpu& vcpu_;
};

TEST_F(VioapicTest, SaysWhatItIs) {
    EXPECT_EQ(read(0), 5u << 24);
    EXPECT_EQ(read(1), (pins - 1) << 16 | 0x20);
    for (u32 i = 0; i < pins; ++i) EXPECT_EQ(pin(i), masked);
    write(0, 0xff00'0000);
    EXPECT_EQ(read(0), 15u << 24);
    write(1, 0);
    EXPECT_EQ(read(1), (pins - 1) << 16 | 0x20);
    EXPECT_TRUE(io().handles(gsi_base) && io().handles(gsi_base + pins - 1));
    EXPECT_FALSE(io().handles(gsi_base - 1) || io().handles(gsi_base + pins));
}

TEST_F(VioapicTest, EntriesKeepOnlyTheirWritableBits) {
    set_pin(3, ~u64{0});
    EXPECT_EQ(pin(3), to(0xff) | 0x1afff) << "neither delivery status nor remote IRR";
    EXPECT_EQ(pin(2), masked);
    EXPECT_EQ(pin(4), masked);
}

TEST_F(VioapicTest, RegistersThatDoNotExistReadZero) {
    for (const u32 index : {2u, 3u, 0xfu, 0x10 + pins * 2, 0xffu}) {
        write(index, ~0u);
        EXPECT_EQ(read(index), 0u) << index;
    }
    EXPECT_EQ(io().read(vcpu_, 0x20, 4), 0u);
    EXPECT_EQ(io().read(vcpu_, 0x40, 4), 0u);
}

TEST_F(VioapicTest, AnEdgeFiresOncePerRise) {
    set_pin(1, 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), 0x41);
    end();
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), std::nullopt) << "it stayed high";
    io().set_line(gsi_base + 1, false);
    EXPECT_EQ(take(), std::nullopt);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), 0x41);
}
TEST_F(VioapicTest, AnEdgeAtAMaskedPinIsLost) {
    set_pin(1, masked | 0x41);
    io().set_line(gsi_base + 1, true);
    set_pin(1, 0x41);
    EXPECT_EQ(take(), std::nullopt);
}
TEST_F(VioapicTest, ALevelFiresAgainUntilItIsLow) {
    set_pin(1, level | 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), 0x41);
    EXPECT_EQ(pin(1), level | remote_irr | 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), std::nullopt) << "not before its end";
    end();
    EXPECT_EQ(take(), 0x41) << "still high";
    io().set_line(gsi_base + 1, false);
    end();
    EXPECT_EQ(take(), std::nullopt);
    EXPECT_EQ(pin(1), level | 0x41);
    EXPECT_EQ(listener_.ended, (std::vector<u32>{gsi_base + 1, gsi_base + 1}));
}
TEST_F(VioapicTest, TheListenerMayLowerTheLineAtItsEnd) {
    listener_.lowers = true;
    set_pin(1, level | 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), 0x41);
    end();
    EXPECT_EQ(take(), std::nullopt);
}
TEST_F(VioapicTest, ALevelWaitsBehindItsMask) {
    set_pin(1, masked | level | 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(take(), std::nullopt);
    set_pin(1, level | 0x41);
    EXPECT_EQ(take(), 0x41);
}
TEST_F(VioapicTest, TurningALevelPinToEdgeForgetsThatItWaits) {
    set_pin(1, level | 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_NE(pin(1) & remote_irr, 0u);
    set_pin(1, 0x41);
    EXPECT_EQ(pin(1) & remote_irr, 0u);
}
TEST_F(VioapicTest, TheEndRegisterEndsByVector) {
    set_pin(1, level | 0x41);
    set_pin(2, level | 0x42);
    io().set_line(gsi_base + 1, true);
    io().set_line(gsi_base + 2, true);
    io().set_line(gsi_base + 1, false);
    io().set_line(gsi_base + 2, false);
    io().write(vcpu_, 0x40, 4, 0x42);
    EXPECT_NE(pin(1) & remote_irr, 0u);
    EXPECT_EQ(pin(2) & remote_irr, 0u);
}

TEST_F(VioapicTest, EveryPinThatSharesAVectorIsEnded) {
    for (u32 i = 0; i < pins; ++i) {
        set_pin(i, level | 0x41);
        io().set_line(gsi_base + i, true);
    }
    listener_.lowers = true;
    EXPECT_EQ(take(), 0x41);
    end();
    EXPECT_EQ(listener_.ended.size(), pins) << "a real line that nobody ends stays blocked";
    for (u32 i = 0; i < pins; ++i) EXPECT_EQ(pin(i) & remote_irr, 0u) << i;
}

TEST_F(VioapicTest, DestinationsAreThoseOfTheEntry) {
    const auto reached = [&](u64 entry) {
        set_pin(0, entry | 0x50);
        io().set_line(gsi_base, true);
        io().set_line(gsi_base, false);
        std::vector<u32> vcpus;
        for (u32 i = 0; i < 3; ++i) {
            if (take(i)) {
                vcpus.push_back(i);
                end(i);
            }
        }
        return vcpus;
    };
    EXPECT_EQ(reached(to(2)), (std::vector<u32>{1}));
    EXPECT_EQ(reached(to(0xff)), (std::vector<u32>{0, 1, 2}));
    EXPECT_EQ(reached(to(0x77)), (std::vector<u32>{}));
    for (u32 i = 0; i < 3; ++i) apic(domain_, i).write(arch::apic::logical_destination, 1u << (24 + i));
    EXPECT_EQ(reached(to(6) | logical), (std::vector<u32>{1, 2}));
    EXPECT_EQ(reached(to(6) | logical | lowest).size(), 1u);
    apic(domain_, 1).write(arch::apic::spurious, 0xff);
    EXPECT_EQ(reached(to(6) | logical | lowest), (std::vector<u32>{2})) << "not one that is turned off";
    EXPECT_EQ(reached(to(0) | 7u << 8), (std::vector<u32>{})) << "no external interrupts";
}
TEST_F(VioapicTest, AnInterruptThatReachesNobodyDoesNotBlockItsPin) {
    set_pin(1, level | to(0x77) | 0x41);
    io().set_line(gsi_base + 1, true);
    EXPECT_EQ(pin(1) & remote_irr, 0u);
    set_pin(1, level | to(0) | 0x41);
    EXPECT_EQ(take(), 0x41);
}

TEST_F(VioapicTest, TheListenerHearsWhatTheGuestWrites) {
    listener_.changed.clear();
    write(0x10 + 7 * 2, level | low_active | 0x61);
    ASSERT_EQ(listener_.changed.size(), 1u);
    EXPECT_EQ(listener_.changed[0], (std::pair<u32, u64>{gsi_base + 7, level | low_active | 0x61}));
    EXPECT_EQ(listener_.looks, 1u);
    write(0, 0);
    write(1, 0);
    write(5, 0);
    EXPECT_EQ(listener_.changed.size(), 1u) << "no pin, no news";
}

TEST_F(VioapicTest, RandomAccessesBreakNothing) {
    std::mt19937 random(8);
    for (unsigned step = 0; step < 50000; ++step) {
        const u64 offset = random() % 4 == 0 ? random() % 0x1000 : std::array<u64, 3>{0, 0x10, 0x40}[random() % 3];
        const unsigned size = 1u << random() % 4;
        switch (random() % 4) {
        case 0: (void)io().read(vcpu_, offset, size); break;
        case 1: io().set_line(random() % 200, random() % 2 == 0); break;
        case 2:
            if (const auto vector = take(random() % 3)) {
                EXPECT_GE(*vector, 16);
                end(random() % 3);
            }
            break;
        default: io().write(vcpu_, offset, size, u64{random()} << 32 | random());
        }
    }
    EXPECT_EQ(read(1), (pins - 1) << 16 | 0x20);
}

}  // namespace
}  // namespace px::hvm
