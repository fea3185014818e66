// The PVH start of day: places that fit the rule, requests that can't be met, and the bytes that a guest
// reads.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/start_of_day.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace px::loader::test {
namespace {

using Entry = abi::HvmMemmapTableEntry;
constexpr u64 mib = 1 << 20, gib = 1 << 30;

Entry ram(u64 start, u64 end) { return {start, end - start, static_cast<u32>(abi::HvmMemmapType::ram), 0}; }
Entry reserved(u64 start, u64 end) { return {start, end - start, static_cast<u32>(abi::HvmMemmapType::reserved), 0}; }

const Extent kernel{16 * mib, 40 * mib + 0x123};

struct Planner {
    std::vector<Entry> map;
    std::vector<StartModule> modules{};
    Extent where = kernel;
    std::string command_line = "console=hvc0";

    StartOfDayRequest request() const { return {map, where, command_line, modules, 0xfc000000, abi::sif::initdomain}; }
    Loaded<StartOfDay> plan() const { return plan_start_of_day(request()); }
    LoadError error() const {
        const auto result = plan();
        EXPECT_FALSE(result.ok());
        return result.ok() ? LoadError{255} : result.error();
    }
};

TEST(StartOfDay, PlacesEverythingBehindTheKernel) {
    const Planner planner{{ram(0, 640 << 10), ram(mib, 512 * mib)}, {{10 * mib + 5, "rd"}, {100, ""}}};
    const auto plan = planner.plan().value();
    EXPECT_EQ(plan.start_info().raw, 40 * mib + 0x1000);
    EXPECT_EQ(plan.modules[0], (Extent{40 * mib + 0x2000, 50 * mib + 0x2005}));
    EXPECT_EQ(plan.modules[1].start, 50 * mib + 0x3000);
}

TEST(StartOfDay, StepsOverHolesAndJoinsNeighbours) {
    // The first hole cuts the room behind the kernel down to one page; two neighbours, in the wrong order,
    // hold the ramdisk together.
    const Planner planner{
        {ram(100 * mib, 120 * mib), reserved(40 * mib + 0x2000, 60 * mib), ram(60 * mib, 100 * mib), ram(mib, 40 * mib + 0x2000)},
        {{50 * mib}}};
    const auto plan = planner.plan().value();
    EXPECT_EQ(plan.tables.start, 40 * mib + 0x1000);
    EXPECT_EQ(plan.modules[0], (Extent{60 * mib, 110 * mib}));
}

TEST(StartOfDay, StaysBelow4GiB) {
    Planner planner{{ram(mib, 3 * gib), ram(4 * gib, 16 * gib)}, {{3 * gib}}};
    EXPECT_EQ(planner.error(), LoadError::ramdisk_does_not_fit);
    planner.map = {ram(mib, 8 * gib)};
    EXPECT_TRUE(planner.plan().ok());
    planner.modules = {{4 * gib - 40 * mib - 0x1fff}};
    EXPECT_EQ(planner.error(), LoadError::ramdisk_does_not_fit);
    planner.modules = {{~u64{0}}};
    EXPECT_EQ(planner.error(), LoadError::ramdisk_does_not_fit);
    planner.modules.clear();
    planner.where = {16 * mib, 4 * gib - 0x800};
    EXPECT_EQ(planner.error(), LoadError::tables_do_not_fit);
}

TEST(StartOfDay, AFullFitIsAFit) {
    Planner planner{{ram(mib, 41 * mib + 0x2000)}, {{mib}}};
    EXPECT_EQ(planner.plan().value().modules[0].end, 41 * mib + 0x2000);
    planner.modules[0].size += 1;
    EXPECT_EQ(planner.error(), LoadError::ramdisk_does_not_fit);
    planner.map = {ram(mib, 40 * mib + 0x1000)};
    EXPECT_EQ(planner.error(), LoadError::tables_do_not_fit);
}

TEST(StartOfDay, RefusesBadMaps) {
    EXPECT_EQ(Planner{.map = {}}.error(), LoadError::memory_map_empty);
    EXPECT_EQ(Planner{.map = {reserved(0, gib)}}.error(), LoadError::memory_map_empty);
    EXPECT_EQ((Planner{.map = {ram(0, gib), reserved(gib - 1, 2 * gib)}}.error()), LoadError::memory_map_invalid);
    EXPECT_EQ((Planner{.map = {ram(0, gib), {5 * gib, 0, 1, 0}}}.error()), LoadError::memory_map_invalid);
    EXPECT_EQ((Planner{.map = {ram(0, gib), {~u64{0} - 5, 10, 1, 0}}}.error()), LoadError::memory_map_invalid);
    EXPECT_EQ((Planner{.map = {ram(0, 40 * mib)}}.error()), LoadError::kernel_outside_ram);
    EXPECT_EQ((Planner{.map = {ram(0, 20 * mib), reserved(20 * mib, 21 * mib), ram(21 * mib, gib)}}.error()),
              LoadError::kernel_outside_ram);
    EXPECT_EQ((Planner{.map = {ram(0, gib)}, .modules = std::vector<StartModule>(StartOfDay::max_modules + 1)}.error()),
              LoadError::too_many_modules);
}

template <class T>
T at(const std::vector<u8>& block, u64 base, u64 address) {
    T value{};
    EXPECT_GE(address, base);
    EXPECT_LE(address - base + sizeof value, block.size());
    std::memcpy(&value, &block.at(address - base), sizeof value);
    return value;
}

TEST(StartOfDay, WritesWhatAGuestReads) {
    const Planner planner{{ram(0, 640 << 10), reserved(640 << 10, mib), ram(mib, 512 * mib)}, {{5 * mib, "rd"}, {100, ""}}};
    const auto plan = planner.plan().value();
    std::vector<u8> block(plan.tables.size());
    ASSERT_EQ(serialise(planner.request(), plan, block).value(), block.size());
    const u64 base = plan.tables.start;

    const auto info = at<abi::HvmStartInfo>(block, base, base);
    EXPECT_EQ(info.magic, 0x336ec578u);
    EXPECT_EQ(info.version, 1u);
    EXPECT_EQ(info.flags, abi::sif::initdomain);
    EXPECT_EQ(info.rsdp_paddr, 0xfc000000u);
    EXPECT_EQ(info.reserved, 0u);
    EXPECT_STREQ(reinterpret_cast<const char*>(&block.at(info.cmdline_paddr - base)), "console=hvc0");
    ASSERT_EQ(info.nr_modules, 2u);
    const auto first = at<abi::HvmModlistEntry>(block, base, info.modlist_paddr);
    EXPECT_EQ(first.paddr, plan.modules[0].start);
    EXPECT_EQ(first.size, 5 * mib);
    EXPECT_STREQ(reinterpret_cast<const char*>(&block.at(first.cmdline_paddr - base)), "rd");
    const auto second = at<abi::HvmModlistEntry>(block, base, info.modlist_paddr + sizeof first);
    EXPECT_EQ(second.paddr, plan.modules[1].start);
    EXPECT_EQ(second.cmdline_paddr, 0u);
    ASSERT_EQ(info.memmap_entries, 3u);
    for (usize i = 0; i < 3; ++i) {
        const auto entry = at<Entry>(block, base, info.memmap_paddr + i * sizeof(Entry));
        EXPECT_EQ(entry.addr, planner.map[i].addr);
        EXPECT_EQ(entry.size, planner.map[i].size);
        EXPECT_EQ(entry.type, planner.map[i].type);
    }

    block.pop_back();
    EXPECT_EQ(serialise(planner.request(), plan, block).error(), LoadError::buffer_too_small);
}

TEST(StartOfDay, SaysNothingOfWhatIsNotThere) {
    Planner planner{{ram(0, gib)}};
    planner.command_line.clear();
    const auto plan = planner.plan().value();
    std::vector<u8> block(plan.tables.size());
    ASSERT_TRUE(serialise(planner.request(), plan, block).ok());
    const auto info = at<abi::HvmStartInfo>(block, plan.tables.start, plan.tables.start);
    EXPECT_EQ(info.nr_modules, 0u);
    EXPECT_EQ(info.modlist_paddr, 0u);
    EXPECT_EQ(info.cmdline_paddr, 0u);
}

/// The rule, checked on maps of chance against a bitmap of 1 MiB units.
TEST(StartOfDay, KeepsItsRuleOnAnyMap) {
    std::mt19937 random{3};
    int fits = 0;
    for (int round = 0; round < 3000; ++round) {
        Planner planner{.map = {}, .where = {mib, 2 * mib}};
        std::vector<bool> is_ram(64);
        for (u64 unit = 0; unit < 64; ++unit) {
            is_ram[unit] = unit < 3 || random() % 4 != 0;
            planner.map.push_back((is_ram[unit] ? ram : reserved)(unit * mib, (unit + 1) * mib));
        }
        std::ranges::shuffle(planner.map, random);
        for (u32 i = 0; i <= random() % 3; ++i) planner.modules.push_back({(random() % 12) * mib + random() % 3});
        const auto result = planner.plan();
        if (!result.ok()) {
            ASSERT_EQ(result.error(), LoadError::ramdisk_does_not_fit);
            continue;
        }
        ++fits;
        Extent before = planner.where;
        const auto check = [&](Extent place, u64 size) {
            ASSERT_EQ(place.size(), size);
            ASSERT_EQ(place.start % page_size, 0u);
            ASSERT_GE(place.start, before.end);
            for (u64 unit = place.start / mib; unit * mib < place.end; ++unit) ASSERT_TRUE(is_ram.at(unit));
            before = place;
        };
        check(result.value().tables, result.value().tables.size());
        for (usize i = 0; i < planner.modules.size(); ++i) check(result.value().modules[i], planner.modules[i].size);
    }
    EXPECT_GT(fits, 300);
    EXPECT_LT(fits, 2900);
}

}  // namespace
}  // namespace px::loader::test
