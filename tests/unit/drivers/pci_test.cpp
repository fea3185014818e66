// PCI configuration access, capability walks and BAR sizing on modelled functions.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "drivers/pci_device.hpp"
#include "tests/unit/drivers/fake_io.hpp"

namespace px::pci {
namespace {

using test::FakeDevice;
using test::FakeMmio;
using test::FakePorts;

/// A function: its registers, and which bits of each BAR can be written.
struct FunctionModel {
    std::array<u8, extended_config_size> registers{};
    std::array<u32, 6> writable_bar_bits{};
    bool decoding_while_sized = false;

    void set16(u16 offset, u16 value) { std::memcpy(registers.data() + offset, &value, sizeof value); }
    void set32(u16 offset, u32 value) { std::memcpy(registers.data() + offset, &value, sizeof value); }
    u32 get32(u16 offset) const {
        u32 value;
        std::memcpy(&value, registers.data() + offset, sizeof value);
        return value;
    }
    void write(u16 offset, unsigned width, u32 value) {
        if (offset >= bar0 && offset < bar0 + 24) {
            const unsigned bar = (offset - bar0) / 4u;
            if (value == ~u32{0} && (registers[command] & 3)) decoding_while_sized = true;
            const u32 fixed = get32(offset) & ~writable_bar_bits[bar];
            value = (value & writable_bar_bits[bar]) | fixed;
        }
        std::memcpy(registers.data() + offset, &value, width);
    }
};

/// Host bridge with both ways in.
struct HostModel : FakeDevice {
    std::map<u16, FunctionModel> functions;
    u32 selected = 0;
    bool ecam = false;
    u16 ecam_first_bdf = 0;

    u64 read(u64 place, unsigned width) override {
        const auto [bdf, offset] = decode(place);
        const auto found = functions.find(bdf);
        if (found == functions.end()) return ~u64{0};
        u64 value = 0;
        std::memcpy(&value, found->second.registers.data() + offset, width);
        return value;
    }
    void write(u64 place, unsigned width, u64 value) override {
        if (!ecam && place == 0xcf8) {
            EXPECT_EQ(width, 4u);
            selected = static_cast<u32>(value);
            return;
        }
        const auto [bdf, offset] = decode(place);
        if (const auto found = functions.find(bdf); found != functions.end()) {
            found->second.write(offset, width, static_cast<u32>(value));
        }
    }
    std::pair<u16, u16> decode(u64 place) const {
        if (ecam) return {static_cast<u16>(ecam_first_bdf + (place >> 12)), static_cast<u16>(place & 0xfff)};
        EXPECT_TRUE(place >= 0xcfc && place <= 0xcff);
        EXPECT_TRUE(selected >> 31);
        return {static_cast<u16>(selected >> 8), static_cast<u16>((selected & 0xfc) + (place & 3))};
    }
};

constexpr Address nic{.segment = 0, .bus = 2, .device = 3, .function = 1};

struct PciTest : testing::Test {
    HostModel host;
    FunctionModel& function = host.functions[nic.bdf()];
    PortConfig<FakePorts> config{FakePorts{&host}};

    PciTest() {
        function.set16(vendor_id, 0x8086);
        function.set16(device_id, 0x1234);
    }
};

TEST(PciAddress, Bdf) {
    EXPECT_EQ(nic.bdf(), 0x0219);
    EXPECT_EQ(Address::from_bdf(0, 0x0219), nic);
}

TEST_F(PciTest, PortAccessOfEachWidth) {
    EXPECT_TRUE(present(config, nic));
    EXPECT_FALSE(present(config, Address{.bus = 9}));
    EXPECT_EQ(config.read32(nic, 0), 0x12348086u);
    EXPECT_EQ(config.read16(nic, device_id), 0x1234);
    EXPECT_EQ(config.read8(nic, 3), 0x12);
    config.write8(nic, 0x3c, 11);
    EXPECT_EQ(function.registers[0x3c], 11);
    config.write16(nic, command, 0x0406);
    EXPECT_EQ(function.registers[5], 4);
}

TEST_F(PciTest, PortsReachNeitherExtendedSpaceNorOtherSegments) {
    function.set32(0x100, 0x11223344);
    EXPECT_EQ(config.read32(nic, 0x100), ~u32{0});
    Address elsewhere = nic;
    elsewhere.segment = 1;
    EXPECT_EQ(config.read16(elsewhere, 0), 0xffff);
    config.write32(nic, 0x100, 0);
    EXPECT_EQ(function.get32(0x100), 0x11223344u);
}

TEST_F(PciTest, EcamReachesItsBusesOnly) {
    host.ecam = true;
    host.ecam_first_bdf = 2 << 8;
    EcamConfig<FakeMmio> ecam{FakeMmio{&host}, 0, 2, 3};
    EXPECT_EQ(ecam.read32(nic, 0), 0x12348086u);
    ecam.write32(nic, 0xffc, 7);
    EXPECT_EQ(function.get32(0xffc), 7u);
    EXPECT_EQ(ecam.read32(nic, 0x1000), ~u32{0});
    EXPECT_EQ(ecam.read32(Address{.bus = 1}, 0), ~u32{0});
    EXPECT_EQ(ecam.read32(Address{.bus = 4}, 0), ~u32{0});
    EXPECT_EQ(ecam.read8(Address{.segment = 1, .bus = 2}, 0), 0xff);
}

TEST_F(PciTest, WalksCapabilities) {
    function.set16(status, 1 << 4);
    function.registers[capabilities_pointer] = 0x50;
    function.set16(0x50, 0x7001);
    function.set16(0x70, 0x9005);
    function.set16(0x90, 0x0011);
    EXPECT_EQ(find_capability(config, nic, Capability::msi), u16{0x70});
    EXPECT_EQ(find_capability(config, nic, Capability::msi_x), u16{0x90});
    EXPECT_EQ(find_capability(config, nic, Capability::vendor), std::nullopt);
    function.set16(status, 0);
    EXPECT_EQ(find_capability(config, nic, Capability::msi), std::nullopt);
}

TEST_F(PciTest, CapabilityLoopsEnd) {
    function.set16(status, 1 << 4);
    function.registers[capabilities_pointer] = 0x50;
    function.set16(0x50, 0x5001);
    unsigned visits = 0;
    EXPECT_EQ(walk_capabilities(config, nic, [&](u8, u16) { return ++visits, false; }), std::nullopt);
    EXPECT_LE(visits, 48u);
    function.set16(0x50, 0x1001);  // into the header
    EXPECT_EQ(find_capability(config, nic, Capability::msi), std::nullopt);
}

TEST_F(PciTest, WalksExtendedCapabilities) {
    host.ecam = true;
    host.ecam_first_bdf = 2 << 8;
    EcamConfig<FakeMmio> ecam{FakeMmio{&host}, 0, 2, 2};
    const auto sriov = [](u16 id, u8, u16) { return id == 0x10; };
    EXPECT_EQ(walk_extended_capabilities(ecam, nic, sriov), std::nullopt);
    function.set32(0x100, 0x148'1'0001);
    function.set32(0x148, 0x000'1'0010);
    EXPECT_EQ(walk_extended_capabilities(ecam, nic, sriov), u16{0x148});
    function.set32(0x148, 0x100'1'0003);  // back to the start
    EXPECT_EQ(walk_extended_capabilities(ecam, nic, sriov), std::nullopt);
}

TEST_F(PciTest, SizesBars) {
    function.set16(command, 0x0007);
    function.set32(bar0, 0xfebc0000);
    function.writable_bar_bits[0] = 0xfffe0000;  // 128 KiB, 32 bits
    function.set32(bar0 + 4, 0xc001);
    function.writable_bar_bits[1] = 0xffe0;  // 32 ports, upper half unimplemented
    function.set32(bar0 + 8, 0x0000000c);
    function.set32(bar0 + 12, 0x00000080);
    function.writable_bar_bits[3] = 0xfffffffc;  // 64 bits, prefetchable, 16 GiB
    const auto before = function.registers;

    const Bars bars = probe_bars(config, nic);
    EXPECT_EQ(bars[0].kind, Bar::Kind::memory_32);
    EXPECT_EQ(bars[0].address, 0xfebc0000u);
    EXPECT_EQ(bars[0].size, 0x20000u);
    EXPECT_FALSE(bars[0].prefetchable);
    EXPECT_EQ(bars[1].kind, Bar::Kind::io);
    EXPECT_EQ(bars[1].address, 0xc000u);
    EXPECT_EQ(bars[1].size, 32u);
    EXPECT_EQ(bars[2].kind, Bar::Kind::memory_64);
    EXPECT_EQ(bars[2].address, u64{0x80} << 32);
    EXPECT_EQ(bars[2].size, u64{16} << 30);
    EXPECT_TRUE(bars[2].prefetchable);
    EXPECT_EQ(bars[3].kind, Bar::Kind::none);
    EXPECT_EQ(bars[4].kind, Bar::Kind::none);
    EXPECT_EQ(function.registers, before);
    EXPECT_FALSE(function.decoding_while_sized);
}

TEST_F(PciTest, BrokenBarsAreNone) {
    function.set32(bar0, 0);
    function.writable_bar_bits[0] = 0xff0f0000;  // holes: no power of two
    function.set32(bar0 + 20, 4);                // 64-bit in the last BAR
    function.writable_bar_bits[5] = 0xffff0000;
    const Bars bars = probe_bars(config, nic);
    EXPECT_EQ(bars[0].kind, Bar::Kind::none);
    EXPECT_EQ(bars[5].kind, Bar::Kind::none);
}

TEST_F(PciTest, BridgesHaveTwoBars) {
    function.registers[header_type] = 0x81;
    function.set32(bar0 + 8, 0x00030201);  // bus numbers, not a BAR
    function.writable_bar_bits.fill(0xffff0000);
    const Bars bars = probe_bars(config, nic);
    EXPECT_EQ(bars[1].kind, Bar::Kind::memory_32);
    EXPECT_EQ(bars[2].kind, Bar::Kind::none);
    EXPECT_EQ(function.get32(bar0 + 8), 0x00030201u);
}

TEST(MsiLayout, OffsetsMoveWithTheAddressWidth) {
    const auto narrow = std::bit_cast<MsiControl>(u16{0x0000});
    EXPECT_EQ(narrow.data(), 8);
    EXPECT_EQ(narrow.size(), 10);
    const auto wide = std::bit_cast<MsiControl>(u16{0x0187});  // 64 bits, masks, 8 vectors capable, enabled
    EXPECT_EQ(wide.enable, 1);
    EXPECT_EQ(wide.multiple_capable, 3);
    EXPECT_EQ(wide.data(), 12);
    EXPECT_EQ(wide.mask(), 16);
    EXPECT_EQ(wide.pending(), 20);
    EXPECT_EQ(wide.size(), 24);
}

TEST(MsixLayout, TableAndControl) {
    const auto control = std::bit_cast<MsixControl>(u16{0x8003});
    EXPECT_EQ(control.entries(), 4u);
    EXPECT_EQ(control.enable, 1);
    EXPECT_EQ(control.mask_all, 0);
    const auto place = std::bit_cast<MsixPlace>(u32{0x00002003});
    EXPECT_EQ(place.bar, 3u);
    EXPECT_EQ(place.offset(), 0x2000u);
}

}  // namespace
}  // namespace px::pci
