// dom0's ACPI tables, read back by the hypervisor's own parsers.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "drivers/acpi/madt.hpp"
#include "drivers/acpi/root.hpp"

namespace px::dom0 {
namespace {

using namespace acpi;
constexpr u64 base = 0x7ff00000;

class Memory final : public PhysicalMemory {
public:
    std::vector<u8> bytes = std::vector<u8>(0x4000);
    std::span<const u8> map(Paddr address, usize length) override {
        if (address.raw < base || address.raw + length > base + bytes.size()) return {};
        return std::span<const u8>(bytes).subspan(address.raw - base, length);
    }
};

struct Dom0Tables : testing::Test {
    Memory memory;
    std::unique_ptr<Topology> machine = std::make_unique<Topology>();
    std::unique_ptr<Topology> seen = std::make_unique<Topology>();
    std::vector<ListedTable> tables{{"FACP"_sig, 0x1000}, {"APIC"_sig, 0x2000}, {"HPET"_sig, 0x3000}, {"MCFG"_sig, 0x4000},
                                    {"DMAR"_sig, 0x5000}, {"SRAT"_sig, 0x6000}, {"SSDT"_sig, 0x7000}};

    TableList build(u32 vcpus) {
        const TablesSpec spec{tables, *machine, vcpus};
        EXPECT_LE(tables_size(spec), memory.bytes.size());
        TableWriter writer(std::span(memory.bytes).first(tables_size(spec)), Gpaddr{base});
        const auto rsdp = write_tables(writer, spec);
        EXPECT_TRUE(rsdp.ok());
        const auto root = read_root_pointer(memory, Paddr{rsdp->raw});
        EXPECT_TRUE(root.ok());
        return *TableList::open(memory, *root);
    }
};

TEST_F(Dom0Tables, ListsTheMachinesTablesButThoseItHides) {
    const TableList list = build(2);
    std::vector<u64> addresses;
    for (usize i = 0; i < list.size(); ++i) addresses.push_back(list.address(i).raw);
    EXPECT_THAT(addresses, testing::ElementsAre(0x1000, 0x4000, 0x7000, testing::Ge(base)));
}

TEST_F(Dom0Tables, TheMadtHasOneX2ApicPerVcpuAndTheMachinesInterruptControllers) {
    machine->io_apics.push({.id = 7, .address = Paddr{0xfec00000}, .gsi_base = 0});
    machine->io_apics.push({.id = 8, .address = Paddr{0xfec01000}, .gsi_base = 24});
    machine->overrides.push({.source = 0, .gsi = 2, .flags = {}});
    machine->cpus.push({.apic_id = 77, .uid = 9, .enabled = true});
    const auto madt = build(4).find("APIC"_sig);
    ASSERT_TRUE(madt.ok());
    ASSERT_TRUE(parse_madt(*madt, *seen).ok());
    ASSERT_EQ(seen->cpus.size(), 4u);
    for (u32 i = 0; i < 4; ++i) {
        EXPECT_EQ(seen->cpus[i].apic_id, 2 * i);
        EXPECT_EQ(seen->cpus[i].uid, i);
        EXPECT_TRUE(seen->cpus[i].enabled);
    }
    EXPECT_FALSE(seen->legacy_pics);
    ASSERT_EQ(seen->io_apics.size(), 2u);
    EXPECT_EQ(seen->io_apics[1].address.raw, 0xfec01000u);
    EXPECT_EQ(seen->io_apics[1].gsi_base, 24u);
    ASSERT_EQ(seen->overrides.size(), 1u);
    EXPECT_EQ(seen->overrides[0].gsi, 2u);
    EXPECT_EQ(madt->bytes()[sizeof(MadtLayout)], static_cast<u8>(madt::Type::local_x2apic));
}

TEST_F(Dom0Tables, TheSizeIsEnoughForTheLargestMachine) {
    for (u32 i = 0; i < 128; ++i) machine->io_apics.push({.id = static_cast<u8>(i), .address = Paddr{i << 12}, .gsi_base = i});
    for (u8 i = 0; i < 32; ++i) {
        machine->overrides.push({.source = i, .gsi = i, .flags = {}});
        machine->nmi_sources.push({.gsi = i, .flags = {}});
    }
    tables.assign(100, {"SSDT"_sig, 0x1000});
    EXPECT_EQ(build(128).size(), 101u);
}

TEST_F(Dom0Tables, TooSmallABufferIsAnError) {
    TableWriter writer(std::span(memory.bytes).first(100), Gpaddr{base});
    EXPECT_EQ(write_tables(writer, {tables, *machine, 2}).error(), Errno::enospc);
}

}  // namespace
}  // namespace px::dom0
