// 8259 and I/O APIC.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "drivers/ioapic.hpp"
#include "drivers/pic_8259.hpp"
#include "tests/unit/drivers/fake_io.hpp"

namespace px {
namespace {

using test::FakeDevice;
using test::FakeMmio;
using test::FakePorts;

/// Both controllers as state machines of their initialisation words.
struct PicModel : FakeDevice {
    struct Half {
        u8 mask = 0, vector = 0, cascade = 0, mode = 0, in_service = 0;
        unsigned next_icw = 0;
        unsigned acknowledged = 0;
        bool read_in_service = false;
    } halves[2];

    u64 read(u64 port, unsigned) override {
        Half& half = halves[port >= 0xa0];
        if (port & 1) return half.mask;
        return half.read_in_service ? half.in_service : 0;
    }
    void write(u64 port, unsigned, u64 raw) override {
        Half& half = halves[port >= 0xa0];
        const u8 value = static_cast<u8>(raw);
        if (!(port & 1)) {
            if (value & 0x10) half.next_icw = 2;
            else if (value == 0x20) ++half.acknowledged;
            else half.read_in_service = value == 0x0b;
            return;
        }
        switch (half.next_icw) {
        case 2:
            half.vector = value;
            half.next_icw = 3;
            return;
        case 3:
            half.cascade = value;
            half.next_icw = 4;
            return;
        case 4:
            half.mode = value;
            half.next_icw = 0;
            return;
        default: half.mask = value;
        }
    }
};

TEST(Pic, RemapsAndMasks) {
    PicModel model;
    Pic8259 pic{FakePorts{&model}};
    pic.remap_and_mask(0x20);
    EXPECT_EQ(model.halves[0].vector, 0x20);
    EXPECT_EQ(model.halves[1].vector, 0x28);
    EXPECT_EQ(model.halves[0].cascade, 1 << 2);
    EXPECT_EQ(model.halves[1].cascade, 2);
    EXPECT_EQ(model.halves[0].mode, 1);
    EXPECT_EQ(model.halves[1].mode, 1);
    EXPECT_EQ(model.halves[0].mask, 0xff);
    EXPECT_EQ(model.halves[1].mask, 0xff);
    pic.set_masks(0xfefb);
    EXPECT_EQ(model.halves[0].mask, 0xfb);
    EXPECT_EQ(model.halves[1].mask, 0xfe);
}

TEST(Pic, SpuriousInterrupts) {
    PicModel model;
    Pic8259 pic{FakePorts{&model}};
    EXPECT_FALSE(pic.spurious(3));
    EXPECT_TRUE(pic.spurious(7));
    EXPECT_EQ(model.halves[0].acknowledged, 0u);
    EXPECT_TRUE(pic.spurious(15));
    EXPECT_EQ(model.halves[0].acknowledged, 1u);  // the cascade line was real
    EXPECT_EQ(model.halves[1].acknowledged, 0u);
    model.halves[0].in_service = model.halves[1].in_service = 0x80;
    EXPECT_FALSE(pic.spurious(7));
    EXPECT_FALSE(pic.spurious(15));
    pic.acknowledge(12);
    EXPECT_EQ(model.halves[0].acknowledged, 2u);
    EXPECT_EQ(model.halves[1].acknowledged, 1u);
}

struct IoApicModel : FakeDevice {
    u32 version = 0x00170020;  // 24 inputs
    u8 index = 0;
    std::map<u8, u32> registers;
    std::vector<u64> unmasked_states;  ///< entry of pin 3 after each write, when it could fire

    u64 read(u64 place, unsigned width) override {
        EXPECT_EQ(width, 4u);
        EXPECT_EQ(place, 0x10u);
        return index == 1 ? version : registers[index];
    }
    void write(u64 place, unsigned width, u64 value) override {
        EXPECT_EQ(width, 4u);
        if (place == 0) {
            index = static_cast<u8>(value);
            return;
        }
        registers[index] = static_cast<u32>(value);
        if (!(pin3() & 1 << 16)) unmasked_states.push_back(pin3());
    }
    u64 pin3() { return u64{registers[0x17]} << 32 | registers[0x16]; }
};

TEST(IoApic, OpensOnlyWhatAnswers) {
    IoApicModel model;
    const auto device = IoApicDevice<FakeMmio>::open(FakeMmio{&model});
    ASSERT_TRUE(device.ok());
    EXPECT_EQ(device->entries(), 24u);
    for (const u32 version : {0u, ~0u, 0x00ff0020u}) {
        model.version = version;
        EXPECT_EQ(IoApicDevice<FakeMmio>::open(FakeMmio{&model}).error(), Errno::enodev);
    }
}

TEST(IoApic, EntryLayout) {
    IoApicModel model;
    auto device = IoApicDevice<FakeMmio>::open(FakeMmio{&model});
    const ioapic::Entry entry{.vector = 0x31,
                              .delivery = static_cast<u64>(ioapic::Delivery::lowest_priority),
                              .logical = 1,
                              .active_low = 1,
                              .level = 1,
                              .destination = 0xab};
    device->set_entry(3, entry);
    EXPECT_EQ(model.pin3(), 0xab00'0000'0000'a931u);
    const auto back = device->entry(3);
    EXPECT_EQ(back.vector, 0x31u);
    EXPECT_EQ(back.destination, 0xabu);
    EXPECT_EQ(back.masked, 0u);
    device->mask(3);
    EXPECT_EQ(device->entry(3).masked, 1u);
    device->unmask(3);
    EXPECT_EQ(model.pin3(), 0xab00'0000'0000'a931u);
}

TEST(IoApic, NoInterruptGoesToAHalfWrittenEntry) {
    IoApicModel model;
    auto device = IoApicDevice<FakeMmio>::open(FakeMmio{&model});
    device->mask_all();
    model.unmasked_states.clear();
    device->set_entry(3, ioapic::Entry{.vector = 0x40, .destination = 1});
    device->set_entry(3, ioapic::Entry{.vector = 0x50, .destination = 2});
    EXPECT_EQ(model.unmasked_states, (std::vector<u64>{0x0100'0000'0000'0040, 0x0200'0000'0000'0050}));
}

TEST(IoApic, RemappableLayout) {
    IoApicModel model;
    auto device = IoApicDevice<FakeMmio>::open(FakeMmio{&model});
    const u32 index = 0x8123;
    device->set_entry(3, ioapic::RemappableEntry{.vector = 0x22, .index_high = index >> 15, .level = 1, .index_low = index & 0x7fff});
    EXPECT_EQ(model.pin3(), u64{0x0123} << 49 | u64{1} << 48 | 1 << 15 | 1 << 11 | 0x22);
}

}  // namespace
}  // namespace px
