// The Multiboot 1 information.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/boot/fake_memory.hpp"

namespace px::boot {
namespace {

constexpr u64 info_at = 0x9000, map_at = 0xa000, modules_at = 0xb000, line_at = 0xc000, loader_at = 0xd000, text_at = 0xe000;
enum Field : usize { flags = 0, lower = 4, upper = 8, modules_count = 20, map_length = 44 };
constexpr u32 has_memory = 1, has_line = 4, has_modules = 8, has_map = 64, has_loader = 512;

void poke(FakeMemory& memory, u64 block, usize offset, u32 value) { std::memcpy(memory.block(block).data() + offset, &value, 4); }

FakeMemory good() {
    FakeMemory memory;
    memory.put_values<u32>(info_at, {has_memory | has_line | has_modules | has_map | has_loader, 639, 65535, 0, line_at, 2, modules_at, 0,
                                     0, 0, 0, 48 + 4, map_at, 0, 0, 0, loader_at});
    // The second entry is larger than it need be: sizes count, not the structure.
    memory.put_values<u32>(map_at, {20, 0, 0, 0x9f000, 0, 1, 24, 0x100000, 0, 0xff00000, 1, 77, 0xdeadbeef});
    memory.put_values<u32>(modules_at, {0x200000, 0x300000, text_at, 0, 0x300000, 0x300000, 0, 0});
    memory.put_text(line_at, "/boot/xen com1=115200");
    memory.put_text(loader_at, "GRUB 0.97");
    memory.put_text(text_at, "/boot/vmlinuz root=/dev/sda1");
    return memory;
}

TEST(Multiboot1, ReadsWhatALoaderWrites) {
    const FakeMemory memory = good();
    BootInfo info;
    ASSERT_TRUE(parse_multiboot1(memory, info_at, info).ok());
    EXPECT_EQ(info.loader, "GRUB 0.97");
    EXPECT_EQ(info.command_line, "com1=115200");
    ASSERT_EQ(info.memory.size(), 2u);
    EXPECT_EQ(info.memory[0].end, 0x9f000u);
    EXPECT_EQ(info.memory[0].kind, MemoryKind::usable);
    EXPECT_EQ(info.memory[1].end, 0x1'0000'0000 + 0x10000000u);
    EXPECT_EQ(info.memory[1].kind, MemoryKind::reserved) << "kinds that nobody knows are reserved";
    ASSERT_EQ(info.modules.size(), 2u);
    EXPECT_EQ(info.modules[0].start, 0x200000u);
    EXPECT_EQ(info.modules[0].size, 0x100000u);
    EXPECT_EQ(info.modules[0].arguments, "root=/dev/sda1");
    EXPECT_EQ(info.modules[1].size, 0u);
}

TEST(Multiboot1, WithoutAMapTwoSizesServe) {
    FakeMemory memory = good();
    poke(memory, info_at, flags, has_memory);
    BootInfo info;
    ASSERT_TRUE(parse_multiboot1(memory, info_at, info).ok());
    ASSERT_EQ(info.memory.size(), 2u);
    EXPECT_EQ(info.memory[0].end, 639u << 10);
    EXPECT_EQ(info.memory[1].start, 1u << 20);
    EXPECT_EQ(info.memory[1].end, (1u << 20) + (65535u << 10));
    EXPECT_TRUE(info.modules.empty());
    EXPECT_EQ(info.command_line, "");

    poke(memory, info_at, flags, 0);
    BootInfo nothing;
    EXPECT_EQ(parse_multiboot1(memory, info_at, nothing).error(), Errno::einval);
}

TEST(Multiboot1, BadStructuresAreErrors) {
    const auto expect_error = [](u64 block, usize offset, u32 value, Errno error) {
        FakeMemory memory = good();
        poke(memory, block, offset, value);
        BootInfo info;
        const auto result = parse_multiboot1(memory, info_at, info);
        ASSERT_FALSE(result.ok()) << std::hex << block << "+" << offset;
        EXPECT_EQ(result.error(), error);
    };
    expect_error(map_at, 0, 0, Errno::einval);           // entry that never ends
    expect_error(map_at, 0, 19, Errno::einval);          // smaller than its parts
    expect_error(map_at, 0, 0xfffffffc, Errno::einval);  // would step backwards
    expect_error(info_at, map_length, 0x10000, Errno::einval);
    expect_error(info_at, modules_count, 3, Errno::einval);  // the third isn't there
    expect_error(modules_at, 4, 0x1fffff, Errno::einval);    // ends before it starts
}

TEST(Multiboot1, ARegionThatWrapsIsAnError) {
    FakeMemory memory = good();
    memory.put_values<u32>(map_at, {20, 0xfffff000, 0xffffffff, 0x2000, 0, 1});
    poke(memory, info_at, map_length, 24);
    BootInfo info;
    EXPECT_EQ(parse_multiboot1(memory, info_at, info).error(), Errno::einval);
}

TEST(Multiboot1, TruncatedInformationIsAnError) {
    for (usize length = 0; length < 68; ++length) {
        FakeMemory memory = good();
        memory.block(info_at).resize(length);
        BootInfo info;
        EXPECT_EQ(parse_multiboot1(memory, info_at, info).error(), Errno::einval);
    }
}

TEST(Multiboot1, SurvivesAnything) { expect_survives_anything(good(), parse_multiboot1, info_at); }

}  // namespace
}  // namespace px::boot
