// Random damage to firmware tables: nothing is read out of bounds (ASan), nothing loops, results stay within
// limits.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "drivers/acpi/fadt.hpp"
#include "drivers/acpi/madt.hpp"
#include "drivers/acpi/platform_tables.hpp"
#include "drivers/acpi/root.hpp"
#include "drivers/acpi/sleep.hpp"
#include "tests/unit/drivers/fake_firmware.hpp"

namespace px::acpi {
namespace {

using test::append;
using test::Bytes;
using test::FakeMemory;
using test::fix_checksum;
using test::make_table;

constexpr u64 table_address = 0x100000;

Bytes good_madt() {
    Bytes body = test::madt_body(0xfee00000, 1);
    for (u8 i = 0; i < 20; ++i) append(body, madt::LocalApic{.processor_uid = i, .apic_id = i, .flags = {.enabled = 1}});
    for (u32 i = 255; i < 275; ++i) append(body, madt::LocalX2Apic{.x2apic_id = i, .flags = {.enabled = 1}, .processor_uid = i});
    append(body, madt::IoApic{.id = 1, .address = 0xfec00000, .gsi_base = 0});
    append(body, madt::SourceOverride{.source = 0, .gsi = 2, .flags = {}});
    append(body, madt::LocalNmi{.processor_uid = 0xff, .flags = {}, .lint = 1});
    append(body, madt::LocalApicAddress{.address = 0xfee00000});
    return make_table(madt_signature, 4, body);
}

Bytes good_srat() {
    Bytes body(12);
    append(body, srat::LocalX2Apic{.reserved0 = 0, .proximity = 1, .x2apic_id = 3, .flags = 1, .clock_domain = 0, .reserved1 = 0});
    srat::Memory memory{};
    memory.entry = {1, 40};
    memory.length = 0x1000;
    memory.flags = 1;
    append(body, memory);
    return make_table(srat_signature, 3, body);
}

Bytes good_fadt() {
    Bytes body(sizeof(FadtLayout) - sizeof(Header));
    body[offsetof(FadtLayout, pm1_event_length) - sizeof(Header)] = 4;
    body[offsetof(FadtLayout, pm1_control_length) - sizeof(Header)] = 2;
    return make_table(fadt_signature, 6, body);
}

Bytes good_mcfg() {
    Bytes body(8);
    append(body, McfgEntry{0xb0000000, 0, 0, 255, 0});
    return make_table(mcfg_signature, 1, body);
}

Bytes good_hpet() {
    Bytes body(4);
    append(body, GenericAddress{AddressSpace::memory, 64, 0, 0, 0xfed00000});
    body.resize(20);
    return make_table(hpet_signature, 1, body);
}

Bytes good_slit() {
    Bytes body;
    append(body, u64{3});
    body.insert(body.end(), {10, 20, 20, 20, 10, 20, 20, 20, 10});
    return make_table(slit_signature, 1, body);
}

Bytes good_dsdt() {
    return make_table("DSDT"_sig, 2, {0x10, 0x20, 'X', 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x0a, 0x05});
}

/// Flips, cuts and stretches at random; most results get a right checksum and length, so that they pass the
/// door.
class Mutator {
public:
    explicit Mutator(u64 seed) : random_(seed) {}

    Bytes operator()(Bytes table) {
        for (u64 count = 1 + pick(4); count != 0; --count) {
            switch (pick(4)) {
            case 0: table[4 + pick(table.size() - 4)] = static_cast<u8>(pick(256)); break;
            case 1: table[4 + pick(table.size() - 4)] ^= static_cast<u8>(1 << pick(8)); break;
            case 2: table.resize(sizeof(Header) + pick(table.size() - sizeof(Header) + 1)); break;
            case 3: table.resize(table.size() + pick(9), static_cast<u8>(pick(256))); break;
            }
        }
        if (pick(8) != 0) {
            const u32 length = static_cast<u32>(table.size());
            std::memcpy(table.data() + offsetof(Header, length), &length, sizeof length);
        }
        if (pick(16) != 0) fix_checksum(table);
        return table;
    }

private:
    u64 pick(u64 below) { return random_() % below; }
    std::mt19937_64 random_;
};

/// Runs `consume` on mutations of `good`; some must be refused and some pass, or the mutations test nothing.
template <class Consume>
void mutate(const Bytes& good, Consume consume) {
    Signature signature;
    std::memcpy(&signature, good.data(), sizeof signature);
    Mutator mutator{0x5eed};
    unsigned accepted = 0, refused = 0;
    for (int round = 0; round < 4000; ++round) {
        FakeMemory memory;
        memory.regions[table_address] = mutator(good);
        const auto table = Table::open(memory, Paddr{table_address}, signature);
        const bool ok = table.ok() && consume(*table);
        if (!table.ok()) { EXPECT_EQ(table.error().table, signature); }
        ++(ok ? accepted : refused);
    }
    EXPECT_GT(accepted, 100u);
    EXPECT_GT(refused, 100u);
}

TEST(AcpiFuzz, Madt) {
    const auto topology = std::make_unique<Topology>();
    mutate(good_madt(), [&](const Table& table) {
        *topology = {};
        const auto result = parse_madt(table, *topology);
        if (!result.ok()) { EXPECT_LE(result.error().offset, table.bytes().size()); }
        EXPECT_LE(topology->cpus.size(), table.bytes().size() / sizeof(madt::LocalApic));
        return result.ok();
    });
}

TEST(AcpiFuzz, Srat) {
    const auto affinity = std::make_unique<Affinity>();
    mutate(good_srat(), [&](const Table& table) {
        *affinity = {};
        const bool ok = parse_srat(table, *affinity).ok();
        for (const auto& range : affinity->memory) EXPECT_GT(range.base.raw + range.length, range.base.raw);
        return ok;
    });
}

TEST(AcpiFuzz, Fadt) {
    mutate(good_fadt(), [](const Table& table) { return parse_fadt(table).ok(); });
}

TEST(AcpiFuzz, Mcfg) {
    mutate(good_mcfg(), [](const Table& table) {
        EcamWindows windows;
        const bool ok = parse_mcfg(table, windows).ok();
        for (const auto& window : windows) EXPECT_LE(window.first_bus, window.last_bus);
        return ok;
    });
}

TEST(AcpiFuzz, Hpet) {
    mutate(good_hpet(), [](const Table& table) { return parse_hpet(table).ok(); });
}

TEST(AcpiFuzz, Slit) {
    mutate(good_slit(), [](const Table& table) {
        const auto distances = Distances::parse(table);
        if (!distances.ok()) return false;
        for (usize i = 0; i < distances->count(); ++i) {
            for (usize k = 0; k < distances->count(); ++k) (void)distances->between(i, k);
        }
        return true;
    });
}

TEST(AcpiFuzz, SleepState) {
    mutate(good_dsdt(), [](const Table& table) {
        const auto type = find_s5(table.bytes());
        return type && type->a < 8 && type->b < 8;
    });
}

TEST(AcpiFuzz, Lists) {
    Bytes entries;
    for (const u64 address : {table_address + 0x1000, table_address + 0x2000, u64{0}, ~u64{0}}) append(entries, address);
    Mutator mutator{7};
    unsigned found = 0;
    for (int round = 0; round < 4000; ++round) {
        FakeMemory memory;
        memory.regions[table_address] = mutator(make_table("XSDT"_sig, 1, entries));
        memory.regions[table_address + 0x1000] = mutator(good_hpet());
        memory.regions[table_address + 0x2000] = good_madt();
        const auto list = TableList::open(memory, RootPointer{Paddr{0}, 2, Paddr{0}, Paddr{table_address}});
        if (!list.ok()) continue;
        for (usize i = 0; i < list->size(); ++i) (void)list->signature(i);
        found += list->find(madt_signature).ok();
    }
    EXPECT_GT(found, 100u);
}

}  // namespace
}  // namespace px::acpi
