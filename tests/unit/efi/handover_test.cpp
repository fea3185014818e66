// The firmware's memory map and texts on their way into BootInfo.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/entry/efi.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "boot/efi/api.hpp"

namespace px::boot {
namespace {

using efi::MemoryType;

class HandoverTest : public testing::Test {
protected:
    void add(MemoryType type, u64 start, u64 pages, u64 attributes = efi::memory_write_back) {
        const efi::MemoryDescriptor descriptor{static_cast<u32>(type), 0, start, 0, pages, attributes};
        std::memcpy(handover->map + handover->map_size, &descriptor, sizeof descriptor);
        handover->map_size += handover->descriptor_size;
    }
    void expect(usize index, u64 start, u64 end, MemoryKind kind) {
        ASSERT_LT(index, info.memory.size());
        EXPECT_EQ(info.memory[index].start, start) << index;
        EXPECT_EQ(info.memory[index].end, end) << index;
        EXPECT_EQ(info.memory[index].kind, kind) << index;
    }

    std::unique_ptr<EfiHandover> handover = [] {
        auto made = std::make_unique<EfiHandover>();
        made->descriptor_size = 48;  // as firmware does, so that nobody takes the structure's size
        return made;
    }();
    BootInfo info;
};

TEST_F(HandoverTest, KindsOfMemory) {
    add(MemoryType::boot_code, 0, 1);
    add(MemoryType::conventional, 0x1000, 0x9f);
    add(MemoryType::loader_code, 0x100000, 0x100);
    add(MemoryType::acpi_nvs, 0x200000, 1);
    add(MemoryType::acpi_reclaim, 0x201000, 1);
    add(MemoryType::runtime_data, 0x202000, 1, efi::memory_write_back | efi::memory_runtime);
    add(MemoryType::unusable, 0x203000, 1);
    add(MemoryType::conventional, 0x204000, 1, 1);  // can't be cached
    add(MemoryType::mmio, 0xe0000000, 0x10000, 1);
    add(MemoryType{0x80000001}, 0xf0000000, 1);     // of an OEM
    add(MemoryType::conventional, 0x100000000, 0);  // nothing
    ASSERT_TRUE(parse_efi(*handover, info).ok());
    ASSERT_EQ(info.memory.size(), 8u);
    expect(0, 0, 0xa0000, MemoryKind::usable);
    expect(1, 0x100000, 0x200000, MemoryKind::usable);
    expect(2, 0x200000, 0x201000, MemoryKind::nvs);
    expect(3, 0x201000, 0x202000, MemoryKind::acpi);
    expect(4, 0x202000, 0x203000, MemoryKind::reserved);
    expect(5, 0x203000, 0x204000, MemoryKind::unusable);
    expect(6, 0x204000, 0x205000, MemoryKind::reserved);
    expect(7, 0xe0000000, 0xf0001000, MemoryKind::reserved);

    handover->keeps_boot_services = 1;
    ASSERT_TRUE(parse_efi_memory(*handover, info).ok());
    expect(0, 0, 0x1000, MemoryKind::reserved);
}

TEST_F(HandoverTest, ManyPiecesOutOfOrderAreJoined) {
    // Every second page, then the others: more pieces than BootInfo holds until they are joined.
    for (u64 i = 0; i < max_regions; ++i) add(MemoryType::conventional, 2 * i * 0x1000, 1);
    for (u64 i = 0; i + 1 < max_regions; ++i) {
        handover->map_size = i * handover->descriptor_size;
        add(MemoryType::conventional, i * 0x1000, 1);
    }
    ASSERT_TRUE(parse_efi_memory(*handover, info).ok());
    normalise(info.memory);
    EXPECT_EQ(info.memory.size(), 1u);
}

TEST_F(HandoverTest, BadMapsAreErrors) {
    const auto error = [&] { return parse_efi_memory(*handover, info).error(); };
    EXPECT_EQ(error(), Errno::einval) << "empty";
    add(MemoryType::conventional, 0xfffffffffffff000, 2);
    EXPECT_EQ(error(), Errno::einval) << "wraps";
    handover->map_size = 0;
    add(MemoryType::conventional, 0x1000, ~u64{0});
    EXPECT_EQ(error(), Errno::einval);
    handover->map_size = 0;
    add(MemoryType::conventional, 0, 1);
    handover->descriptor_size = 39;
    EXPECT_EQ(error(), Errno::einval);
    handover->descriptor_size = 48;
    handover->map_size = sizeof handover->map + 1;
    EXPECT_EQ(error(), Errno::einval);
    handover->map_size = 0;
    for (u64 i = 0; i <= max_regions; ++i) add(MemoryType::conventional, 2 * i * 0x1000, 1);
    EXPECT_EQ(error(), Errno::enospc);
}

TEST_F(HandoverTest, RandomMapsNeverCrash) {
    std::mt19937_64 random(9);
    for (unsigned round = 0; round < 300; ++round) {
        for (u8& byte : handover->map) byte = static_cast<u8>(random() % 4 == 0 ? random() : 0);
        handover->map_size = random() % (sizeof handover->map + 100);
        handover->descriptor_size = random() % 128;
        (void)parse_efi_memory(*handover, info).ok();
    }
}

TEST_F(HandoverTest, TextsAndModules) {
    add(MemoryType::conventional, 0, 1);
    handover->command_line = *handover->keep("console=com1");
    handover->vendor = *handover->keep("EDK II");
    const u8 content[] = {1, 2, 3};
    ASSERT_TRUE(handover->add_module(content, "root=/dev/sda1").ok());
    ASSERT_TRUE(parse_efi(*handover, info).ok());
    EXPECT_EQ(info.command_line, "console=com1");
    EXPECT_EQ(info.loader, "EDK II");
    ASSERT_EQ(info.modules.size(), 1u);
    EXPECT_EQ(info.modules[0].arguments, "root=/dev/sda1");
    EXPECT_EQ(info.modules[0].size, 3u);

    EXPECT_EQ(handover->keep(std::string(EfiHandover::text_capacity, 'x')).error(), Errno::enospc);
    while (handover->modules_count < max_modules) ASSERT_TRUE(handover->add_module(content, "").ok());
    EXPECT_EQ(handover->add_module(content, "").error(), Errno::enospc);
}

}  // namespace
}  // namespace px::boot
