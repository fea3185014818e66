// The PVH start info.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/start_info.hpp"
#include "tests/unit/boot/fake_memory.hpp"

namespace px::boot {
namespace {

using Entry = abi::HvmMemmapTableEntry;
using Module = abi::HvmModlistEntry;

constexpr u64 info_at = 0x9000, map_at = 0xa000, modules_at = 0xc000, line_at = 0xd000, text_at = 0xe000;

abi::HvmStartInfo start_info() {
    abi::HvmStartInfo info{};
    info.magic = abi::hvm_start_magic;
    info.version = 1;
    info.nr_modules = 1;
    info.modlist_paddr = modules_at;
    info.cmdline_paddr = line_at;
    info.rsdp_paddr = 0xf0000;
    info.memmap_paddr = map_at;
    info.memmap_entries = 2;
    return info;
}

FakeMemory good(const abi::HvmStartInfo& info = start_info()) {
    FakeMemory memory;
    memory.put_values<abi::HvmStartInfo>(info_at, {info});
    memory.put_values<Entry>(map_at, {{0, 0xa0000, 1, 0}, {0x100000, 0x7f00000, 7, 0}});
    memory.put_values<Module>(modules_at, {{0x200000, 0x1234, text_at, 0}});
    memory.put_text(line_at, "com1=115200");
    memory.put_text(text_at, "root=/dev/sda1");
    return memory;
}

Errno error_of(const FakeMemory& memory) {
    BootInfo info;
    const auto result = parse_pvh(memory, info_at, info);
    return result.ok() ? Errno{0} : result.error();
}

TEST(Pvh, ReadsWhatALoaderWrites) {
    const FakeMemory memory = good();
    BootInfo info;
    ASSERT_TRUE(parse_pvh(memory, info_at, info).ok());
    EXPECT_EQ(info.command_line, "com1=115200");
    EXPECT_EQ(info.rsdp, 0xf0000u);
    ASSERT_EQ(info.memory.size(), 2u);
    EXPECT_EQ(info.memory[0].kind, MemoryKind::usable);
    EXPECT_EQ(info.memory[1].end, 0x8000000u);
    EXPECT_EQ(info.memory[1].kind, MemoryKind::reserved);
    ASSERT_EQ(info.modules.size(), 1u);
    EXPECT_EQ(info.modules[0].size, 0x1234u);
    EXPECT_EQ(info.modules[0].arguments, "root=/dev/sda1");
}

TEST(Pvh, BadStructuresAreErrors) {
    const auto with = [](auto change) {
        auto info = start_info();
        change(info);
        return error_of(good(info));
    };
    EXPECT_EQ(with([](auto& info) { info.magic ^= 1; }), Errno::einval);
    EXPECT_EQ(with([](auto& info) { info.version = 0; }), Errno::einval) << "version 0 has no memory map";
    EXPECT_EQ(with([](auto& info) { info.memmap_entries = 0; }), Errno::einval);
    EXPECT_EQ(with([](auto& info) { info.memmap_entries = 3; }), Errno::einval);
    EXPECT_EQ(with([](auto& info) { info.memmap_paddr = 0x5000; }), Errno::einval);
    EXPECT_EQ(with([](auto& info) { info.memmap_paddr = ~u64{0} - 8; }), Errno::einval);
    EXPECT_EQ(with([](auto& info) { info.nr_modules = 2; }), Errno::einval);
    EXPECT_EQ(with([](auto& info) { info.modlist_paddr = ~u64{0}; }), Errno::einval);
}

TEST(Pvh, RangesThatWrapAreErrors) {
    FakeMemory memory = good();
    memory.put_values<Entry>(map_at, {{0, 0xa0000, 1, 0}, {~u64{0xfff}, 0x2000, 1, 0}});
    EXPECT_EQ(error_of(memory), Errno::einval);
    memory = good();
    memory.put_values<Module>(modules_at, {{0x1000, ~u64{0}, 0, 0}});
    EXPECT_EQ(error_of(memory), Errno::einval);
}

TEST(Pvh, AMapThatDoesNotFitIsAnErrorAndNotHalfAMap) {
    // What is left out could be a hole in what was taken.
    auto info = start_info();
    info.memmap_entries = max_regions + 1;
    FakeMemory memory = good(info);
    std::vector<u8> map((max_regions + 1) * sizeof(Entry));
    memory.put(map_at, map);
    EXPECT_EQ(error_of(memory), Errno::enospc);
    info.memmap_entries = max_regions;
    memory.put_values<abi::HvmStartInfo>(info_at, {info});
    EXPECT_EQ(error_of(memory), Errno{0});
}

TEST(Pvh, TruncatedInformationIsAnError) {
    for (usize length = 0; length < sizeof(abi::HvmStartInfo); ++length) {
        FakeMemory memory = good();
        memory.block(info_at).resize(length);
        EXPECT_EQ(error_of(memory), Errno::einval);
    }
}

TEST(Pvh, SurvivesAnything) { expect_survives_anything(good(), parse_pvh, info_at); }

}  // namespace
}  // namespace px::boot
