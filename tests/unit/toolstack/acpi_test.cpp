// The ACPI tables of a PVH guest, read by the parsers that read real firmware's.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/acpi.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "drivers/acpi/table.hpp"
#include "toolstack/builder/layout.hpp"

namespace px::builder {
namespace {

using acpi::operator""_sig;

/// The tables where the guest sees them.
class Memory final : public acpi::PhysicalMemory {
public:
    explicit Memory(const AcpiTables& tables) : tables_(tables) {}
    std::span<const u8> map(Paddr address, usize length) override {
        const u64 offset = address.raw - acpi_start.raw;
        if (address.raw < acpi_start.raw || offset + length > tables_.bytes.size()) return {};
        return std::span(tables_.bytes).subspan(offset, length);
    }

private:
    const AcpiTables& tables_;
};

/// The addresses that the XSDT lists.
std::vector<u64> listed(const AcpiTables& tables) {
    Memory memory(tables);
    acpi::RsdpLayout rsdp;
    const auto bytes = memory.map(Paddr{tables.rsdp.raw}, sizeof rsdp);
    EXPECT_EQ(bytes.size(), sizeof rsdp);
    EXPECT_EQ(acpi::byte_sum(bytes), 0);
    std::memcpy(&rsdp, bytes.data(), sizeof rsdp);
    const auto xsdt = acpi::Table::open(memory, Paddr{rsdp.xsdt}, "XSDT"_sig);
    EXPECT_TRUE(xsdt.ok());
    std::vector<u64> addresses((xsdt->bytes().size() - sizeof(acpi::Header)) / sizeof(u64));
    std::memcpy(addresses.data(), xsdt->bytes().data() + sizeof(acpi::Header), addresses.size() * sizeof(u64));
    return addresses;
}

TEST(Acpi, FadtIsHardwareReducedAndLeadsToTheDsdt) {
    const AcpiTables tables = write_acpi_tables(2);
    Memory memory(tables);
    const auto fadt = acpi::Table::open(memory, Paddr{listed(tables).at(0)}, "FACP"_sig);
    ASSERT_TRUE(fadt.ok());
    const auto layout = fadt->read<acpi::FadtLayout>(0);
    ASSERT_TRUE(layout.ok());
    EXPECT_TRUE(layout->flags & 1u << 20);
    EXPECT_EQ(layout->pm_timer, 0u);
    EXPECT_TRUE(acpi::Table::open(memory, Paddr{layout->x_dsdt}, "DSDT"_sig).ok());
    EXPECT_EQ(layout->x_dsdt, layout->dsdt);
}

TEST(Acpi, MadtListsEachVcpuWithTwiceItsNumber) {
    const AcpiTables tables = write_acpi_tables(200);
    Memory memory(tables);
    const auto madt = acpi::Table::open(memory, Paddr{listed(tables).at(1)}, "APIC"_sig);
    ASSERT_TRUE(madt.ok());
    u32 vcpu = 0;
    const auto walked = madt->for_each_entry(sizeof(acpi::MadtLayout), [&](u8 type, usize offset) -> acpi::TableResult<> {
        const bool x2apic = 2 * vcpu > 254;
        EXPECT_EQ(type, x2apic ? 9 : 0) << vcpu;
        if (x2apic) {
            const auto entry = TRY(madt->entry<acpi::madt::LocalX2Apic>(offset));
            EXPECT_EQ(entry.x2apic_id, 2 * vcpu);
            EXPECT_EQ(entry.processor_uid, vcpu);
        } else {
            const auto entry = TRY(madt->entry<acpi::madt::LocalApic>(offset));
            EXPECT_EQ(entry.apic_id, 2 * vcpu);
            EXPECT_EQ(entry.processor_uid, vcpu);
        }
        ++vcpu;
        return {};
    });
    EXPECT_TRUE(walked.ok());
    EXPECT_EQ(vcpu, 200u);
}

TEST(Acpi, AsManyVcpusAsAConfigurationMayAskForFit) {
    const AcpiTables tables = write_acpi_tables(512);
    EXPECT_NE(tables.rsdp, Gpaddr{});
    EXPECT_LT(tables.bytes.size(), acpi_max);
    EXPECT_EQ(listed(tables).size(), 2u);
}

}  // namespace
}  // namespace px::builder
