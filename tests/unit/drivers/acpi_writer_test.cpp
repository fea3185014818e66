// The table writer: what it writes reads back through our own parsers.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/writer.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "drivers/acpi/madt.hpp"
#include "drivers/acpi/root.hpp"
#include "tests/unit/drivers/fake_firmware.hpp"

namespace px::acpi {
namespace {

using test::Bytes;
using test::FakeMemory;

constexpr Gpaddr base{0xfc00'0000};

struct Spec {
    std::vector<Cpu> cpus;
    std::vector<IoApic> io_apics{{.id = 2, .address = Paddr{0xfec00000}, .gsi_base = 0}};
    std::vector<SourceOverride> overrides{{.source = 9, .gsi = 20, .flags = {.polarity = 3, .trigger = 3}}};
    std::vector<NmiSource> nmi_sources{{.gsi = 5, .flags = {}}};
    std::vector<LocalNmi> local_nmis{{.uid = LocalNmi::all_cpus, .flags = {}, .lint = 1}, {.uid = 400, .flags = {}, .lint = 0}};

    MadtSpec view() const {
        return {.legacy_pics = true,
                .cpus = cpus,
                .io_apics = io_apics,
                .overrides = overrides,
                .nmi_sources = nmi_sources,
                .local_nmis = local_nmis};
    }
};

Result<Gpaddr> write_all(TableWriter& writer, const Spec& spec, std::vector<u64> tables) {
    tables.push_back(TRY(write_madt(writer, spec.view())).raw);
    return write_rsdp(writer, TRY(write_xsdt(writer, tables)));
}

TEST(TableWriter, RoundTrip) {
    Spec spec;
    for (u32 i = 0; i < 300; ++i) spec.cpus.push_back({.apic_id = 3 * i, .uid = i, .enabled = true, .online_capable = false});
    spec.cpus.push_back({.apic_id = 5000, .uid = 300, .enabled = false, .online_capable = true});
    Bytes buffer(8192, 0xcc);
    TableWriter writer{buffer, base};
    const auto rsdp = write_all(writer, spec, {0x1000, 0x2'0000'0000});
    ASSERT_TRUE(rsdp.ok());
    EXPECT_EQ(rsdp->raw % 16, 0u);
    EXPECT_LE(writer.used(), buffer.size());

    FakeMemory memory;
    memory.regions[base.raw] = Bytes(buffer.begin(), buffer.begin() + static_cast<long>(writer.used()));
    const auto root = read_root_pointer(memory, Paddr{rsdp->raw});
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(root->rsdt.raw, 0u);
    const auto list = TableList::open(memory, *root);
    ASSERT_TRUE(list.ok());
    ASSERT_EQ(list->size(), 3u);
    EXPECT_EQ(list->address(1).raw, 0x2'0000'0000u);
    const auto table = list->find(madt_signature);
    ASSERT_TRUE(table.ok());
    const auto topology = std::make_unique<Topology>();
    ASSERT_TRUE(parse_madt(*table, *topology).ok());
    EXPECT_TRUE(topology->legacy_pics);
    ASSERT_EQ(topology->cpus.size(), spec.cpus.size());
    for (usize i = 0; i < spec.cpus.size(); ++i) {
        EXPECT_EQ(topology->cpus[i].apic_id, spec.cpus[i].apic_id);
        EXPECT_EQ(topology->cpus[i].uid, spec.cpus[i].uid);
        EXPECT_EQ(topology->cpus[i].enabled, spec.cpus[i].enabled);
        EXPECT_EQ(topology->cpus[i].online_capable, spec.cpus[i].online_capable);
    }
    ASSERT_EQ(topology->overrides.size(), 1u);
    EXPECT_EQ(topology->overrides[0].gsi, 20u);
    EXPECT_TRUE(topology->overrides[0].flags.level());
    ASSERT_EQ(topology->io_apics.size(), 1u);
    EXPECT_EQ(topology->io_apics[0].address.raw, 0xfec00000u);
    ASSERT_EQ(topology->nmi_sources.size(), 1u);
    ASSERT_EQ(topology->local_nmis.size(), 2u);
    EXPECT_EQ(topology->local_nmis[0].uid, LocalNmi::all_cpus);
    EXPECT_EQ(topology->local_nmis[1].uid, 400u);
}

TEST(TableWriter, SmallIdsUseTheOldEntries) {
    Spec spec;
    spec.cpus = {{.apic_id = 254, .uid = 254, .enabled = true}, {.apic_id = 255, .uid = 3, .enabled = true}};
    Bytes buffer(1024);
    TableWriter writer{buffer, base};
    ASSERT_TRUE(write_madt(writer, spec.view()).ok());
    EXPECT_EQ(buffer[sizeof(MadtLayout)], 0);
    EXPECT_EQ(buffer[sizeof(MadtLayout) + sizeof(madt::LocalApic)], 9);
}

TEST(TableWriter, AnyBufferThatIsTooSmallIsRefusedAndNotExceeded) {
    Spec spec;
    spec.cpus = {{.apic_id = 0, .uid = 0, .enabled = true}, {.apic_id = 600, .uid = 600, .enabled = true}};
    Bytes whole(4096);
    TableWriter all{whole, base};
    ASSERT_TRUE(write_all(all, spec, {1, 2, 3}).ok());
    for (usize size = 0; size < all.used(); ++size) {
        Bytes buffer(size);  // ASan sees a write past it
        TableWriter writer{buffer, base};
        EXPECT_EQ(write_all(writer, spec, {1, 2, 3}).error(), Errno::enospc) << size;
    }
    Bytes exact(all.used());
    TableWriter writer{exact, base};
    EXPECT_TRUE(write_all(writer, spec, {1, 2, 3}).ok());
}

TEST(TableWriter, ATableThatDidNotFitLeavesNoTrace) {
    Bytes buffer(100);
    TableWriter writer{buffer, base};
    ASSERT_TRUE(write_xsdt(writer, std::vector<u64>{1}).ok());
    const usize used = writer.used();
    EXPECT_FALSE(write_xsdt(writer, std::vector<u64>{1, 2, 3}).ok());
    EXPECT_LE(writer.used(), align_up<usize>(used, 16));
    EXPECT_TRUE(write_xsdt(writer, std::vector<u64>{}).ok());
}

}  // namespace
}  // namespace px::acpi
