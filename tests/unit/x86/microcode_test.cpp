// Files of microcode updates: the right update is found, and nothing beyond a broken file is read.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/microcode/container.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/x86/microcode_files.hpp"

namespace px::arch::microcode {
namespace {

constexpr Cpu skylake{0x50654, 1u << 2, 0x200};
constexpr Cpu rome{0x00830f10, 0, 0x08301000};

using Finder = Result<Update, std::string_view> (*)(std::span<const u8>, const Cpu&);

/// On a copy of exactly its size, so that the address sanitizer sees the first byte read beyond it.
std::string outcome(Finder find, const Bytes& file, const Cpu& cpu) {
    const std::unique_ptr<u8[]> copy(new u8[file.size()]);
    std::copy(file.begin(), file.end(), copy.get());
    const auto found = find({copy.get(), file.size()}, cpu);
    if (!found) return std::string(found.error());
    EXPECT_GE(found->loaded.data(), found->bytes.data());
    EXPECT_LE(found->loaded.data() + found->loaded.size(), found->bytes.data() + found->bytes.size());
    u32 sum = 0;
    for (const u8 byte : found->bytes) sum += byte;
    (void)sum;
    char text[16];
    std::snprintf(text, sizeof text, "%x", found->revision);
    return text;
}

TEST(IntelMicrocode, TheNewestForThisCpu) {
    Bytes file = intel_update(0x300, {0x50654, 0xb7});
    append(file, intel_update(0x900, {0x50657, 0xbf}));  // another stepping
    append(file, intel_update(0x800, {0x50654, 0x08}));  // another platform
    append(file, intel_update(0x400, {0x50654, 0x04}));
    append(file, intel_update(0x350, {0x50654, 0xff}));
    append(file, intel_update(0xffff0000, {0x50654, 0xff}));  // below 0
    EXPECT_EQ(outcome(find_intel, file, skylake), "400");
    EXPECT_EQ(outcome(find_intel, file, {0x50654, 1u << 3, 0x200}), "800");
    EXPECT_EQ(outcome(find_intel, file, {0x50654, 1u << 2, 0x400}), "has nothing newer for this CPU");
    EXPECT_EQ(outcome(find_intel, file, {0x50655, 1u << 2, 0}), "has nothing for this CPU");
    const auto found = find_intel(file, skylake);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->loaded.data(), found->bytes.data() + 48);
    EXPECT_EQ(found->loaded.size(), 976u);
}

TEST(IntelMicrocode, FurtherSignatures) {
    const Bytes file = intel_update(0x500, {0x50650, 1}, {{0x50653, 0x02}, {0x50654, 0x04}});
    EXPECT_EQ(outcome(find_intel, file, skylake), "500");
    EXPECT_EQ(outcome(find_intel, file, {0x50654, 1u << 1, 0}), "has nothing for this CPU");
}

TEST(IntelMicrocode, OldFilesSayNoSizes) {
    Bytes update = intel_update(7, {0x670, 0}, {}, 2000);
    ASSERT_EQ(update.size(), 2048u);
    put32(update, 28, 0);
    put32(update, 32, 0);
    put32(update, 16, 0);
    put32(update, 16, 0u - sum_of(update, 0, update.size()));
    EXPECT_EQ(outcome(find_intel, update, {0x670, 0, 1}), "7");
}

TEST(IntelMicrocode, BrokenFiles) {
    const Bytes good = intel_update(0x500, {0x50654, 4});
    EXPECT_EQ(outcome(find_intel, {}, skylake), "has nothing for this CPU");
    EXPECT_EQ(outcome(find_intel, Bytes(47, 1), skylake), "ends within an update's header");
    EXPECT_EQ(outcome(find_intel, Bytes(2048, 0), skylake), "isn't a file of Intel's updates");
    EXPECT_EQ(outcome(find_intel, Bytes(good.begin(), good.end() - 1), skylake), "ends within an update");
    const auto changed = [&](usize at, u32 value) {
        Bytes bad = good;
        put32(bad, at, value);
        return outcome(find_intel, bad, skylake);
    };
    EXPECT_EQ(changed(100, 1), "has an update whose checksum is wrong");
    EXPECT_EQ(changed(28, 977), "has an update of impossible sizes");
    EXPECT_EQ(changed(28, 0xfffffffc), "has an update of impossible sizes");
    EXPECT_EQ(changed(32, 44), "has an update of impossible sizes");
    EXPECT_EQ(changed(32, 0xfffffffc), "ends within an update");
    EXPECT_EQ(changed(20, 2), "isn't a file of Intel's updates");
    Bytes table = intel_update(0x500, {0x50650, 1}, {{0x50654, 4}});
    const usize count = 48 + 976;
    put32(table, count, 0xffffffff);
    put32(table, count + 4, 0);
    put32(table, count + 4, 0u - sum_of(table, count, table.size()));
    EXPECT_EQ(outcome(find_intel, table, skylake), "500") << "a count beyond the file is cut";
}

TEST(AmdMicrocode, TheNewestForThisCpu) {
    Bytes file = amd_container({{0x00830f00, 0x8300}, {0x00830f10, 0x8310}});
    append_amd_patch(file, 0x08301034, 0x8310);
    append_amd_patch(file, 0x0830107c, 0x8310, 3200);
    append_amd_patch(file, 0x0830ffff, 0x8300);
    append(file, amd_container({{0x00a20f10, 0xa210}, {0x00a00f11, 0x8310}}));  // another container, whose ids mean others
    append_amd_patch(file, 0x0a20ffff, 0x8310);
    EXPECT_EQ(outcome(find_amd, file, rome), "830107c");
    EXPECT_EQ(outcome(find_amd, file, {rome.signature, 0, 0x0830107c}), "has nothing newer for this CPU");
    EXPECT_EQ(outcome(find_amd, file, {0x00870f10, 0, 0}), "has nothing for this CPU");
    const auto found = find_amd(file, rome);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->bytes.size(), 3200u);
    EXPECT_EQ(found->loaded.data(), found->bytes.data());
}

TEST(AmdMicrocode, BrokenFiles) {
    Bytes good = amd_container({{0x00830f10, 0x8310}});
    append_amd_patch(good, 0x0830107c, 0x8310);
    EXPECT_EQ(outcome(find_amd, {}, rome), "isn't a container of AMD's");
    EXPECT_EQ(outcome(find_amd, Bytes(200, 'x'), rome), "isn't a container of AMD's");
    EXPECT_EQ(outcome(find_amd, Bytes(good.begin(), good.begin() + 8), rome), "ends within a section's header");
    EXPECT_EQ(outcome(find_amd, Bytes(good.begin(), good.begin() + 30), rome), "ends within a section");
    EXPECT_EQ(outcome(find_amd, Bytes(good.begin(), good.end() - 1), rome), "ends within a section");
    Bytes twice = good;
    append_amd_patch(twice, 1, 2, 63);
    EXPECT_EQ(outcome(find_amd, twice, rome), "has a patch without a header");
    Bytes odd = good;
    append(odd, Bytes(16, 7));
    put32(odd, odd.size() - 12, 8);
    EXPECT_EQ(outcome(find_amd, odd, rome), "has a section of unknown type");
    Bytes no_table = good;
    put32(no_table, 4, 1);
    EXPECT_EQ(outcome(find_amd, no_table, rome), "has a container without a table of processors");
}

TEST(Microcode, SurvivesAnyChange) {
    Bytes intel = intel_update(0x500, {0x50654, 4}, {{0x50653, 2}});
    append(intel, intel_update(0x600, {0x50654, 4}));
    Bytes amd = amd_container({{0x00830f10, 0x8310}, {0x00830f00, 0x8300}});
    append_amd_patch(amd, 0x0830107c, 0x8310);
    append_amd_patch(amd, 0x0830107d, 0x8300);
    std::mt19937 random(2026);
    for (unsigned round = 0; round < 20000; ++round) {
        const bool is_intel = round % 2 == 0;
        Bytes file = is_intel ? intel : amd;
        for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
            constexpr u32 nasty[] = {0, 1, 4, 47, 48, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
            put32(file, random() % (file.size() / 4) * 4,
                  random() % 2 == 0 ? nasty[random() % std::size(nasty)] : static_cast<u32>(random()));
        }
        if (random() % 8 == 0) file.resize(random() % file.size());
        (void)outcome(is_intel ? find_intel : find_amd, file, is_intel ? skylake : rome);
    }
}

}  // namespace
}  // namespace px::arch::microcode
