// Root pointer, table lists, and each table parser: what good tables say, and that bad ones are named.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "drivers/acpi/madt.hpp"
#include "drivers/acpi/platform_tables.hpp"
#include "drivers/acpi/root.hpp"
#include "drivers/acpi/sleep.hpp"
#include "tests/unit/drivers/fake_firmware.hpp"
#include "tests/unit/drivers/fake_io.hpp"

namespace px::acpi {

void PrintTo(const TableError& error, std::ostream* out) {
    *out << "table " << error.table.text() << " " << text(error.defect) << " at " << error.offset;
}

namespace {

using test::append;
using test::Bytes;
using test::FakeMemory;
using test::fix_checksum;
using test::madt_body;
using test::make_rsdp;
using test::make_table;
using test::open_table;

constexpr madt::CpuFlags on{.enabled = 1};

// ---- root pointer

void place(FakeMemory& memory, u64 address, const Bytes& bytes) {
    auto& area = memory.regions[0xe0000];
    area.resize(0x20000);
    std::copy(bytes.begin(), bytes.end(), area.begin() + static_cast<long>(address - 0xe0000));
}

TEST(Rsdp, FoundInTheBiosArea) {
    FakeMemory memory;
    place(memory, 0xf5a40, make_rsdp(2, 0x1000, 0x2000));
    const auto root = scan_root_pointer(memory);
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(root->address.raw, 0xf5a40u);
    EXPECT_EQ(root->revision, 2);
    EXPECT_EQ(root->xsdt.raw, 0x2000u);
}

TEST(Rsdp, FoundInTheEbdaFirst) {
    FakeMemory memory;
    place(memory, 0xf5a40, make_rsdp(0, 0x1000, 0));
    memory.regions[0x40e] = {0xc0, 0x9f};
    memory.regions[0x9fc00].resize(1024);
    const Bytes rsdp = make_rsdp(0, 0x3000, 0);
    std::copy(rsdp.begin(), rsdp.end(), memory.regions[0x9fc00].begin() + 0x40);
    const auto root = scan_root_pointer(memory);
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(root->rsdt.raw, 0x3000u);
    EXPECT_EQ(root->xsdt.raw, 0u);
}

TEST(Rsdp, ScanSkipsDamagedAndUnalignedOnes) {
    FakeMemory memory;
    Bytes damaged = make_rsdp(2, 0x1000, 0x2000);
    damaged[16] ^= 1;
    place(memory, 0xf0000, damaged);
    place(memory, 0xf1008, make_rsdp(2, 0x1000, 0x2000));
    EXPECT_EQ(scan_root_pointer(memory).error(), (TableError{"RSDP"_sig, Defect::bad_checksum}));
    place(memory, 0xffff0 - 0x20, make_rsdp(2, 0x4000, 0x5000));
    const auto root = scan_root_pointer(memory);
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(root->xsdt.raw, 0x5000u);
}

TEST(Rsdp, NothingThere) {
    FakeMemory memory;
    EXPECT_EQ(scan_root_pointer(memory).error(), (TableError{"RSDP"_sig, Defect::not_found}));
    place(memory, 0xf0000, {});
    EXPECT_EQ(scan_root_pointer(memory).error(), (TableError{"RSDP"_sig, Defect::not_found}));
}

TEST(Rsdp, TailDamageIsSeen) {
    FakeMemory memory;
    const Bytes good = make_rsdp(2, 0x1000, 0x2000);
    memory.regions[0x7000] = good;
    ASSERT_TRUE(read_root_pointer(memory, Paddr{0x7000}).ok());
    memory.regions[0x7000][26] ^= 1;  // the XSDT's address
    EXPECT_EQ(read_root_pointer(memory, Paddr{0x7000}).error().defect, Defect::bad_checksum);
    for (const u32 length : {0u, 35u, 4097u, ~0u}) {
        Bytes bad = good;
        std::memcpy(bad.data() + offsetof(RsdpLayout, length), &length, sizeof length);
        memory.regions[0x7000] = bad;
        EXPECT_EQ(read_root_pointer(memory, Paddr{0x7000}).error().defect, Defect::bad_length) << length;
    }
    EXPECT_EQ(read_root_pointer(memory, Paddr{0x9000}).error().defect, Defect::unmappable);
}

TEST(Rsdp, ARevision0OneMayEndAfter20Bytes) {
    FakeMemory memory;
    Bytes rsdp = make_rsdp(0, 0x1234, 0);
    rsdp.resize(rsdp_v1_length);
    memory.regions[0x7000] = rsdp;
    const auto root = read_root_pointer(memory, Paddr{0x7000});
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(root->rsdt.raw, 0x1234u);
}

// ---- table lists

struct Firmware : testing::Test {
    FakeMemory memory;
    RootPointer root{Paddr{0x7000}, 2, Paddr{0x20000}, Paddr{0x30000}};

    Firmware() {
        Bytes rsdt, xsdt;
        for (const u32 address : {0x40000u, 0x50000u}) append(rsdt, address);
        for (const u64 address : {u64{0x50000}, u64{0xdead0000}, u64{0x4'0000'0000}}) append(xsdt, address);
        memory.regions[0x20000] = make_table("RSDT"_sig, 1, rsdt);
        memory.regions[0x30000] = make_table("XSDT"_sig, 1, xsdt);
        memory.regions[0x40000] = make_table("HPET"_sig, 1, Bytes(20));
        memory.regions[0x50000] = make_table("APIC"_sig, 4, madt_body(0xfee00000, 1));
        memory.regions[0x4'0000'0000] = make_table("MCFG"_sig, 1, Bytes(8));
    }
};

TEST_F(Firmware, XsdtIsPreferred) {
    const auto list = TableList::open(memory, root);
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->size(), 3u);
    EXPECT_EQ(list->address(2).raw, 0x4'0000'0000u);
    EXPECT_EQ(*list->signature(0), "APIC"_sig);
    EXPECT_FALSE(list->signature(1).ok());
    const auto mcfg = list->find("MCFG"_sig);  // past the entry that can't be mapped
    ASSERT_TRUE(mcfg.ok());
    EXPECT_EQ(mcfg->address().raw, 0x4'0000'0000u);
    EXPECT_EQ(mcfg->bytes().size(), 44u);
    EXPECT_EQ(list->find("HPET"_sig).error(), (TableError{"HPET"_sig, Defect::not_found}));
}

TEST_F(Firmware, RsdtServesWhenTheXsdtIsBroken) {
    memory.regions[0x30000][9] ^= 1;
    const auto list = TableList::open(memory, root);
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->size(), 2u);
    EXPECT_TRUE(list->find("HPET"_sig).ok());
    root.rsdt = Paddr{};
    EXPECT_EQ(TableList::open(memory, root).error(), (TableError{"XSDT"_sig, Defect::bad_checksum}));
}

TEST_F(Firmware, BadTablesAreNamed) {
    const auto list = TableList::open(memory, root);
    Bytes& madt = memory.regions[0x50000];
    madt[40] ^= 0x10;
    EXPECT_EQ(list->find("APIC"_sig).error(), (TableError{"APIC"_sig, Defect::bad_checksum}));
    for (const u32 length : {0u, 35u, 0x7fffffffu, ~0u}) {
        std::memcpy(madt.data() + 4, &length, sizeof length);
        EXPECT_EQ(list->find("APIC"_sig).error(), (TableError{"APIC"_sig, Defect::bad_length})) << length;
    }
    const u32 too_long = 45;
    std::memcpy(madt.data() + 4, &too_long, sizeof too_long);
    EXPECT_EQ(list->find("APIC"_sig).error(), (TableError{"APIC"_sig, Defect::unmappable}));
    EXPECT_EQ(Table::open(memory, Paddr{0x50000}, "FACP"_sig).error(), (TableError{"FACP"_sig, Defect::bad_signature}));
}

// ---- MADT

struct MadtTest : testing::Test {
    FakeMemory memory;
    std::unique_ptr<Topology> topology = std::make_unique<Topology>();

    TableResult<> parse(const Bytes& body) { return parse_madt(open_table(memory, make_table(madt_signature, 4, body)), *topology); }
};

TEST_F(MadtTest, EachKindOfEntry) {
    const auto result = parse(madt_body(
        0xfee00000, 1, madt::LocalApic{.processor_uid = 1, .apic_id = 0, .flags = on},
        madt::LocalApic{.processor_uid = 2, .apic_id = 4, .flags = {.online_capable = 1}},
        madt::LocalApic{.processor_uid = 3, .apic_id = 6, .flags = {}}, madt::LocalApic{.processor_uid = 4, .apic_id = 0xff, .flags = on},
        madt::IoApic{.id = 2, .address = 0xfec00000, .gsi_base = 0}, madt::IoApic{.id = 3, .address = 0xfec01000, .gsi_base = 24},
        madt::SourceOverride{.source = 0, .gsi = 2, .flags = {}},
        madt::SourceOverride{.source = 9, .gsi = 9, .flags = {.polarity = 3, .trigger = 3}},
        madt::NmiSource{.flags = {.polarity = 1, .trigger = 1}, .gsi = 17}, madt::LocalNmi{.processor_uid = 0xff, .flags = {}, .lint = 1},
        madt::LocalX2ApicNmi{.flags = {.trigger = 1}, .processor_uid = 777, .lint = 0},
        madt::LocalX2Apic{.x2apic_id = 0x10001, .flags = on, .processor_uid = 777}, madt::LocalApicAddress{.address = 0x12'fee0'0000},
        EntryHeader{0x7f, 2}));
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(topology->local_apic.raw, 0x12'fee0'0000u);
    EXPECT_TRUE(topology->legacy_pics);
    ASSERT_EQ(topology->cpus.size(), 3u);
    EXPECT_TRUE(topology->cpus[0].enabled);
    EXPECT_EQ(topology->cpus[1].apic_id, 4u);
    EXPECT_TRUE(topology->cpus[1].online_capable);
    EXPECT_FALSE(topology->cpus[1].enabled);
    EXPECT_EQ(topology->cpus[2].apic_id, 0x10001u);
    EXPECT_EQ(topology->cpus[2].uid, 777u);
    ASSERT_EQ(topology->io_apics.size(), 2u);
    EXPECT_EQ(topology->io_apics[1].gsi_base, 24u);
    ASSERT_EQ(topology->overrides.size(), 2u);
    EXPECT_EQ(topology->overrides[0].gsi, 2u);
    EXPECT_TRUE(topology->overrides[1].flags.active_low());
    EXPECT_TRUE(topology->overrides[1].flags.level());
    ASSERT_EQ(topology->nmi_sources.size(), 1u);
    EXPECT_EQ(topology->nmi_sources[0].gsi, 17u);
    ASSERT_EQ(topology->local_nmis.size(), 2u);
    EXPECT_EQ(topology->local_nmis[0].uid, LocalNmi::all_cpus);
    EXPECT_EQ(topology->local_nmis[1].uid, 777u);
}

TEST_F(MadtTest, ManyCpusWithSparseIds) {
    Bytes body = madt_body(0xfee00000, 0);
    std::vector<u32> ids;
    for (u32 i = 0; i < 600; ++i) {
        const u32 id = i < 100 ? 2 * i : i * 16 + (i >= 500 ? 0x1'0000'00 : 0);
        ids.push_back(id);
        if (id < 255) append(body, madt::LocalApic{.processor_uid = static_cast<u8>(i), .apic_id = static_cast<u8>(id), .flags = on});
        else append(body, madt::LocalX2Apic{.x2apic_id = id, .flags = on, .processor_uid = i});
    }
    ASSERT_TRUE(parse(body).ok());
    ASSERT_EQ(topology->cpus.size(), ids.size());
    for (usize i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(topology->cpus[i].apic_id, ids[i]);
        EXPECT_EQ(topology->cpus[i].uid, i);
    }
    EXPECT_EQ(topology->cpus_dropped, 0u);
}

TEST_F(MadtTest, CpusListedTwiceCountOnce) {
    Bytes body = madt_body(0xfee00000, 0);
    for (const u32 id : {3u, 300u, 70000u}) {
        for (int twice = 0; twice < 2; ++twice) append(body, madt::LocalX2Apic{.x2apic_id = id, .flags = on, .processor_uid = id});
    }
    append(body, madt::LocalApic{.processor_uid = 9, .apic_id = 3, .flags = on});
    ASSERT_TRUE(parse(body).ok());
    EXPECT_EQ(topology->cpus.size(), 3u);
}

TEST_F(MadtTest, CpusBeyondTheCapacityAreCounted) {
    Bytes body = madt_body(0xfee00000, 0);
    for (u32 id = 0; id < Topology::max_cpus + 5; ++id) append(body, madt::LocalX2Apic{.x2apic_id = id, .flags = on, .processor_uid = id});
    ASSERT_TRUE(parse(body).ok());
    EXPECT_EQ(topology->cpus.size(), Topology::max_cpus);
    EXPECT_EQ(topology->cpus_dropped, 5u);
}

TEST_F(MadtTest, BadEntriesAreLocated) {
    const auto expect_bad = [&](const Bytes& body, Defect defect, u32 offset) {
        *topology = {};
        const auto result = parse(body);
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error(), (TableError{madt_signature, defect, offset}));
    };
    const madt::LocalApic cpu{.processor_uid = 0, .apic_id = 0, .flags = on};
    expect_bad(madt_body(0, 0, cpu, u8{0}), Defect::bad_entry, 52);              // half an entry header
    expect_bad(madt_body(0, 0, cpu, EntryHeader{0, 0}), Defect::bad_entry, 52);  // would never advance
    expect_bad(madt_body(0, 0, cpu, EntryHeader{0, 1}), Defect::bad_entry, 52);
    expect_bad(madt_body(0, 0, cpu, EntryHeader{0, 8}), Defect::bad_entry, 52);     // leaves the table
    expect_bad(madt_body(0, 0, EntryHeader{9, 4}, u16{0}), Defect::bad_entry, 44);  // short x2APIC
    expect_bad(madt_body(0, 0, madt::IoApic{.id = 1, .address = 0, .gsi_base = 0}), Defect::bad_entry, 44);
    expect_bad(
        madt_body(0, 0, madt::IoApic{.id = 1, .address = 0x1000, .gsi_base = 0}, madt::IoApic{.id = 2, .address = 0x2000, .gsi_base = 0}),
        Defect::bad_entry, 56);
    expect_bad(madt_body(0, 0, madt::SourceOverride{.bus = 1, .source = 0, .gsi = 0, .flags = {}}), Defect::bad_entry, 44);
    expect_bad(madt_body(0, 0, madt::SourceOverride{.source = 16, .gsi = 0, .flags = {}}), Defect::bad_entry, 44);
    Bytes overrides = madt_body(0, 0);
    for (int i = 0; i < 33; ++i) append(overrides, madt::SourceOverride{.source = 1, .gsi = 1, .flags = {}});
    expect_bad(overrides, Defect::too_many, 44 + 320);
    expect_bad(Bytes(4), Defect::bad_length, 0);
}

// ---- FADT

Bytes fadt_bytes(FadtLayout fadt, usize length, u8 revision) {
    Bytes whole;
    append(whole, fadt);
    return make_table(fadt_signature, revision, Bytes(whole.begin() + sizeof(Header), whole.begin() + static_cast<long>(length)));
}

FadtLayout pc_fadt() {
    FadtLayout fadt{};
    fadt.dsdt = 0x7fe0000;
    fadt.sci_interrupt = 9;
    fadt.smi_command = 0xb2;
    fadt.acpi_enable = 2;
    fadt.pm1a_event = 0x600;
    fadt.pm1a_control = 0x604;
    fadt.pm_timer = 0x608;
    fadt.pm1_event_length = 4;
    fadt.pm1_control_length = 2;
    fadt.pm_timer_length = 4;
    fadt.century = 0x32;
    return fadt;
}

TEST(Fadt, FirstRevision) {
    FakeMemory memory;
    FadtLayout raw = pc_fadt();
    raw.flags = 1 << 10;  // claims a reset register, but the table ends before it
    const auto fadt = parse_fadt(open_table(memory, fadt_bytes(raw, fadt_v1_length, 1)));
    ASSERT_TRUE(fadt.ok());
    EXPECT_EQ(fadt->dsdt.raw, 0x7fe0000u);
    EXPECT_EQ(fadt->sci, 9u);
    EXPECT_EQ(fadt->smi_command, 0xb2);
    EXPECT_EQ(fadt->century, 0x32);
    EXPECT_EQ(fadt->pm1a_control, (GenericAddress{AddressSpace::io, 16, 0, 0, 0x604}));
    EXPECT_EQ(fadt->pm_timer, (GenericAddress{AddressSpace::io, 32, 0, 0, 0x608}));
    EXPECT_FALSE(fadt->pm1b_control.present());
    EXPECT_FALSE(fadt->reset_register.present());
    EXPECT_FALSE(fadt->flags.timer_32_bit);
    EXPECT_TRUE(fadt->pc.legacy_devices);
}

TEST(Fadt, ExtendedFieldsWin) {
    FakeMemory memory;
    FadtLayout raw = pc_fadt();
    raw.flags = 1 << 10 | 1 << 8;
    raw.x_dsdt = 0x1'0000'0000;
    raw.x_pm1a_control = {AddressSpace::io, 16, 0, 2, 0x1804};
    raw.x_pm_timer = {AddressSpace::memory, 32, 0, 3, 0xfed80808};
    raw.reset_register = {AddressSpace::io, 8, 0, 1, 0xcf9};
    raw.reset_value = 6;
    raw.boot_architecture = 1 << 5;
    const auto fadt = parse_fadt(open_table(memory, fadt_bytes(raw, sizeof raw, 6)));
    ASSERT_TRUE(fadt.ok());
    EXPECT_EQ(fadt->dsdt.raw, 0x1'0000'0000u);
    EXPECT_EQ(fadt->pm1a_control.address, 0x1804u);
    EXPECT_EQ(fadt->pm1a_event.address, 0x600u);
    EXPECT_EQ(fadt->pm_timer.space, AddressSpace::memory);
    EXPECT_TRUE(fadt->flags.timer_32_bit);
    EXPECT_EQ(fadt->reset_register.address, 0xcf9u);
    EXPECT_EQ(fadt->reset_value, 6);
    EXPECT_TRUE(fadt->pc.no_cmos_rtc);
    EXPECT_FALSE(fadt->pc.legacy_devices);
}

TEST(Fadt, HardwareReducedHasNoPm1) {
    FakeMemory memory;
    FadtLayout raw{};
    raw.flags = 1 << 20;
    raw.sleep_control = {AddressSpace::memory, 8, 0, 1, 0xfe000000};
    const auto fadt = parse_fadt(open_table(memory, fadt_bytes(raw, sizeof raw, 6)));
    ASSERT_TRUE(fadt.ok());
    EXPECT_FALSE(fadt->pm1a_control.present());
    EXPECT_EQ(fadt->sleep_control.address, 0xfe000000u);
}

TEST(Fadt, BadLengths) {
    FakeMemory memory;
    EXPECT_EQ(parse_fadt(open_table(memory, fadt_bytes(pc_fadt(), 115, 1))).error(), (TableError{fadt_signature, Defect::bad_length}));
    FadtLayout raw = pc_fadt();
    raw.pm1_control_length = 1;
    EXPECT_EQ(parse_fadt(open_table(memory, fadt_bytes(raw, sizeof raw, 4))).error(),
              (TableError{fadt_signature, Defect::bad_entry, offsetof(FadtLayout, pm1_event_length)}));
    raw = pc_fadt();
    raw.pm_timer_length = 3;
    EXPECT_FALSE(parse_fadt(open_table(memory, fadt_bytes(raw, sizeof raw, 4)))->pm_timer.present());
}

// ---- the small tables

TEST(HpetTable, AddressInMemoryOnly) {
    FakeMemory memory;
    HpetLayout raw{};
    raw.address = {AddressSpace::memory, 64, 0, 0, 0xfed00000};
    raw.minimum_tick = 100;
    const auto bytes = [&] {
        Bytes whole;
        append(whole, raw);
        return make_table(hpet_signature, 1, Bytes(whole.begin() + sizeof(Header), whole.end()));
    };
    const auto hpet = parse_hpet(open_table(memory, bytes()));
    ASSERT_TRUE(hpet.ok());
    EXPECT_EQ(hpet->address.raw, 0xfed00000u);
    EXPECT_EQ(hpet->minimum_tick, 100);
    raw.address.space = AddressSpace::io;
    EXPECT_EQ(parse_hpet(open_table(memory, bytes())).error().defect, Defect::bad_entry);
    EXPECT_EQ(parse_hpet(open_table(memory, make_table(hpet_signature, 1, Bytes(19)))).error().defect, Defect::bad_length);
}

TEST(Mcfg, Windows) {
    FakeMemory memory;
    const auto table = [&](std::initializer_list<McfgEntry> entries, usize surplus = 0) {
        Bytes body(8);
        for (const auto& entry : entries) append(body, entry);
        body.resize(body.size() + surplus);
        return open_table(memory, make_table(mcfg_signature, 1, body));
    };
    EcamWindows windows;
    ASSERT_TRUE(parse_mcfg(table({{0xb0000000, 0, 0, 255, 0}, {0x10'0000'0000, 1, 16, 31, 0}}), windows).ok());
    ASSERT_EQ(windows.size(), 2u);
    EXPECT_EQ(windows[0].last_bus, 255);
    EXPECT_EQ(windows[1].base.raw, 0x10'0000'0000u);
    EXPECT_EQ(windows[1].segment, 1);
    EXPECT_EQ(parse_mcfg(table({{0xb0000000, 0, 2, 1, 0}}), windows).error(), (TableError{mcfg_signature, Defect::bad_entry, 44}));
    EXPECT_EQ(parse_mcfg(table({{0, 0, 0, 1, 0}}), windows).error().defect, Defect::bad_entry);
    EXPECT_EQ(parse_mcfg(table({}, 15), windows).error(), (TableError{mcfg_signature, Defect::bad_length, 44}));
}

Bytes srat_body() { return Bytes(12); }

TEST(Srat, CpusAndMemory) {
    FakeMemory memory;
    Bytes body = srat_body();
    append(body, srat::LocalApic{
                     .proximity_low = 1, .apic_id = 7, .flags = 1, .local_sapic_eid = 0, .proximity_high = {2, 0, 0}, .clock_domain = 0});
    append(body,
           srat::LocalApic{.proximity_low = 1, .apic_id = 8, .flags = 0, .local_sapic_eid = 0, .proximity_high = {}, .clock_domain = 0});
    append(body, srat::LocalX2Apic{.reserved0 = 0, .proximity = 5, .x2apic_id = 0x12345, .flags = 1, .clock_domain = 0, .reserved1 = 0});
    srat::Memory range{};
    range.entry = {1, 40};
    range.proximity = 5;
    range.base = 0x1'0000'0000;
    range.length = 0x8000'0000;
    range.flags = 1 | 2;
    append(body, range);
    const auto affinity = std::make_unique<Affinity>();
    ASSERT_TRUE(parse_srat(open_table(memory, make_table(srat_signature, 3, body)), *affinity).ok());
    ASSERT_EQ(affinity->cpus.size(), 2u);
    EXPECT_EQ(affinity->cpus[0].apic_id, 7u);
    EXPECT_EQ(affinity->cpus[0].proximity, 0x201u);
    EXPECT_EQ(affinity->cpus[1].apic_id, 0x12345u);
    EXPECT_EQ(affinity->cpus[1].proximity, 5u);
    ASSERT_EQ(affinity->memory.size(), 1u);
    EXPECT_EQ(affinity->memory[0].base.raw, 0x1'0000'0000u);
    EXPECT_TRUE(affinity->memory[0].hot_pluggable);
    EXPECT_FALSE(affinity->memory[0].non_volatile);

    *affinity = {};
    ASSERT_TRUE(parse_srat(open_table(memory, make_table(srat_signature, 1, body)), *affinity).ok());
    EXPECT_EQ(affinity->cpus[0].proximity, 1u);  // revision 1 has 8-bit domains

    range.base = ~u64{0} - 0x1000;
    body = srat_body();
    append(body, range);
    EXPECT_EQ(parse_srat(open_table(memory, make_table(srat_signature, 3, body)), *affinity).error(),
              (TableError{srat_signature, Defect::bad_entry, 48}));
}

TEST(Slit, Matrix) {
    FakeMemory memory;
    Bytes body;
    append(body, u64{2});
    body.insert(body.end(), {10, 21, 31, 10});
    const auto distances = Distances::parse(open_table(memory, make_table(slit_signature, 1, body)));
    ASSERT_TRUE(distances.ok());
    EXPECT_EQ(distances->count(), 2u);
    EXPECT_EQ(distances->between(0, 1), 21);
    EXPECT_EQ(distances->between(1, 0), 31);
    body[8] = 11;
    EXPECT_EQ(Distances::parse(open_table(memory, make_table(slit_signature, 1, body))).error(),
              (TableError{slit_signature, Defect::bad_entry, 44}));
    for (const u64 count : {u64{3}, u64{1} << 32, ~u64{0}}) {
        std::memcpy(body.data(), &count, sizeof count);
        EXPECT_EQ(Distances::parse(open_table(memory, make_table(slit_signature, 1, body))).error().defect, Defect::bad_length);
    }
    EXPECT_EQ(Distances::parse(open_table(memory, make_table(slit_signature, 1, Bytes(7)))).error().defect, Defect::bad_length);
}

// ---- power-off

Bytes aml(std::initializer_list<int> bytes) {
    Bytes out{0x5b, 0x82, 0x10, 'X'};
    for (const int byte : bytes) out.push_back(static_cast<u8>(byte));
    return out;
}

TEST(SleepState, FindsThePackage) {
    // As QEMU, SeaBIOS and EDK II write it.
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00})), (SleepType{0, 0}));
    EXPECT_EQ(find_s5(aml({0x08, '\\', '_', 'S', '5', '_', 0x12, 0x06, 0x02, 0x0a, 0x05, 0x0a, 0x07})), (SleepType{5, 7}));
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x05, 0x02, 0x01, 0x0b, 0x06, 0x00})),
              std::nullopt);  // body ends
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x02, 0x01, 0x0b, 0x06, 0x00})), (SleepType{1, 6}));
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x46, 0x00, 0x02, 0x0a, 0x04, 0x01})), (SleepType{4, 1}));  // two-byte length
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x01, 0x0a, 0x05})), (SleepType{5, 0}));
}

TEST(SleepState, SkipsMentionsAndBrokenPackages) {
    EXPECT_EQ(find_s5({}), std::nullopt);
    EXPECT_EQ(find_s5(aml({'_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00})), std::nullopt);  // a reference
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_'})), std::nullopt);
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x3f, 0x04, 0x00})), std::nullopt);
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x00, 0x04, 0x00})), std::nullopt);
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0xc4, 0xff})), std::nullopt);
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 'F', 'O'})), std::nullopt);
    EXPECT_EQ(find_s5(aml({0x08, '_', 'S', '5', '_', 0x12, 0x03, 0x00, 0x00,  // empty, then the right one
                           0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x01, 0x00})),
              (SleepType{1, 0}));
}

TEST(SleepState, SearchesDsdtThenSsdts) {
    FakeMemory memory;
    const Bytes with_s5 = aml({0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x01, 0x00});
    Bytes entries;
    for (const u64 address : {u64{0x2000}, u64{0x3000}, u64{0x4000}}) append(entries, address);
    memory.regions[0x1000] = make_table("XSDT"_sig, 1, entries);
    memory.regions[0x2000] = make_table("SSDT"_sig, 2, aml({}));
    memory.regions[0x3000] = make_table("SSDT"_sig, 2, with_s5);
    memory.regions[0x3000][20] ^= 1;  // damaged: passed over
    memory.regions[0x4000] = make_table("SSDT"_sig, 2, with_s5);
    memory.regions[0x5000] = make_table("DSDT"_sig, 2, aml({}));
    const auto list = TableList::open(memory, RootPointer{Paddr{0}, 2, Paddr{0}, Paddr{0x1000}});
    ASSERT_TRUE(list.ok());
    FixedHardware hardware;
    hardware.dsdt = Paddr{0x5000};
    EXPECT_EQ(*find_s5(memory, *list, hardware), (SleepType{1, 0}));
    memory.regions[0x4000][0] = 'X';
    EXPECT_EQ(find_s5(memory, *list, hardware).error(), (TableError{"DSDT"_sig, Defect::not_found}));
    hardware.dsdt = Paddr{0x9000};
    EXPECT_EQ(find_s5(memory, *list, hardware).error(), (TableError{"DSDT"_sig, Defect::unmappable}));
    memory.regions[0x9000] = make_table("DSDT"_sig, 2, aml({0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x05, 0x00}));
    EXPECT_EQ(find_s5(memory, *list, hardware).error(), (TableError{"DSDT"_sig, Defect::not_found}));  // no constant
}

struct PmModel : test::FakeDevice {
    std::vector<std::pair<u64, u64>> writes;
    u64 read(u64 place, unsigned width) override {
        EXPECT_EQ(width, 2u);
        return place == 0x604 ? 0x0001 | 0x1c00 | 0x4 : 0;
    }
    void write(u64 place, unsigned, u64 value) override { writes.emplace_back(place, value); }
};

TEST(SleepState, PowerOffWritesBothRegisters) {
    PmModel model;
    FixedHardware hardware;
    EXPECT_EQ(power_off(test::FakePorts{&model}, hardware, {5, 6}).error(), Errno::enodev);
    hardware.pm1a_control = {AddressSpace::io, 16, 0, 0, 0x604};
    hardware.pm1b_control = {AddressSpace::io, 16, 0, 0, 0x704};
    EXPECT_EQ(power_off(test::FakePorts{&model}, hardware, {5, 6}).error(), Errno::eio);
    EXPECT_EQ(model.writes, (std::vector<std::pair<u64, u64>>{{0x604, 0x1401}, {0x704, 0x1800}, {0x604, 0x3401}, {0x704, 0x3800}}));
}

TEST(SleepState, Reset) {
    PmModel model;
    FixedHardware hardware;
    EXPECT_EQ(reset(test::FakePorts{&model}, hardware).error(), Errno::enodev);
    hardware.reset_register = {AddressSpace::memory, 8, 0, 0, 0xfe000000};
    EXPECT_EQ(reset(test::FakePorts{&model}, hardware).error(), Errno::enodev);
    hardware.reset_register = {AddressSpace::io, 8, 0, 0, 0xcf9};
    hardware.reset_value = 6;
    EXPECT_EQ(reset(test::FakePorts{&model}, hardware).error(), Errno::eio);
    EXPECT_EQ(model.writes, (std::vector<std::pair<u64, u64>>{{0xcf9, 6}}));
}

}  // namespace
}  // namespace px::acpi
