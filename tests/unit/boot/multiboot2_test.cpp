// The Multiboot 2 information.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/boot/fake_memory.hpp"

namespace px::boot {
namespace {

constexpr u64 info_at = 0x9000;

/// Builds the list of tags.
class Tags {
public:
    Tags& tag(u32 type, const std::vector<u8>& content) {
        word(type);
        word(static_cast<u32>(8 + content.size()));
        bytes_.insert(bytes_.end(), content.begin(), content.end());
        bytes_.resize(align_up<usize>(bytes_.size(), 8));
        return *this;
    }
    Tags& text(u32 type, const std::string& text) { return tag(type, {text.c_str(), text.c_str() + text.size() + 1}); }
    Tags& module(u32 start, u32 end, const std::string& text) {
        std::vector<u8> content(8);
        std::memcpy(content.data(), &start, 4);
        std::memcpy(content.data() + 4, &end, 4);
        content.insert(content.end(), text.c_str(), text.c_str() + text.size() + 1);
        return tag(3, content);
    }
    Tags& map(u32 entry_size, std::initializer_list<std::array<u64, 3>> entries) {
        std::vector<u8> content(8 + entries.size() * entry_size);
        std::memcpy(content.data(), &entry_size, 4);
        u8* at = content.data() + 8;
        for (const auto& entry : entries) {
            std::memcpy(at, entry.data(), 24);
            at += entry_size;
        }
        return tag(6, content);
    }
    std::vector<u8> finish(bool with_end = true) {
        if (with_end) tag(0, {});
        const u32 total = static_cast<u32>(bytes_.size());
        std::memcpy(bytes_.data(), &total, 4);
        return bytes_;
    }

private:
    void word(u32 value) {
        const u8* const bytes = reinterpret_cast<const u8*>(&value);
        bytes_.insert(bytes_.end(), bytes, bytes + 4);
    }
    std::vector<u8> bytes_ = std::vector<u8>(8);
};

Result<> parse(std::vector<u8> bytes, BootInfo& info, FakeMemory& memory) {
    memory.put(info_at, std::move(bytes));
    return parse_multiboot2(memory, info_at, info);
}
Errno error_of(std::vector<u8> bytes) {
    FakeMemory memory;
    BootInfo info;
    const auto result = parse(std::move(bytes), info, memory);
    return result.ok() ? Errno{0} : result.error();
}

Tags good() {
    Tags tags;
    tags.text(1, "placeholder com1=115200 loglvl=all")
        .text(2, "GRUB 2.06")
        .module(0x200000, 0x300000, "root=/dev/sda1")
        .module(0x300000, 0x300000, "");
    tags.map(32, {{0, 0x9f000, 1}, {0x100000, 0xff00000, 1}, {0xfee00000, 0x1000, 12}});
    tags.tag(8, std::vector<u8>(32, 1))
        .tag(4, {1, 2, 3, 4, 5, 6, 7, 8})
        .tag(14, std::vector<u8>(20, 'R'))
        .tag(15, std::vector<u8>(36, 'R'));
    return tags;
}

std::vector<u8> framebuffer_tag(u8 type) {
    std::vector<u8> content(32);
    const u64 address = 0xfd000000;
    const u32 numbers[] = {4096, 1024, 768};  // pitch, width, height
    std::memcpy(content.data(), &address, 8);
    std::memcpy(content.data() + 8, numbers, 12);
    content[20] = 32;
    content[21] = type;
    const u8 colours[] = {16, 8, 8, 8, 0, 8};
    std::memcpy(content.data() + 24, colours, sizeof colours);
    return content;
}

TEST(Multiboot2, TellsOfTheScreen) {
    const auto screen = [](const std::vector<u8>& content) {
        FakeMemory memory;
        BootInfo info;
        Tags tags;
        EXPECT_TRUE(parse(tags.tag(8, content).finish(), info, memory).ok());
        return info.screen;
    };
    const Screen direct = screen(framebuffer_tag(1));
    EXPECT_EQ(direct.kind, Screen::Kind::framebuffer);
    EXPECT_EQ(direct.framebuffer, (Framebuffer{.address = 0xfd000000,
                                               .width = 1024,
                                               .height = 768,
                                               .pitch = 4096,
                                               .bits = 32,
                                               .red = {16, 8},
                                               .green = {8, 8},
                                               .blue = {0, 8}}));
    EXPECT_EQ(screen(framebuffer_tag(2)).kind, Screen::Kind::text);
    EXPECT_EQ(screen(framebuffer_tag(0)).kind, Screen::Kind::none) << "a palette's colours are of no use";
    EXPECT_EQ(screen(framebuffer_tag(9)).kind, Screen::Kind::none);
    EXPECT_EQ(screen({1, 2, 3}).kind, Screen::Kind::unknown) << "too short";
}

TEST(Multiboot2, ReadsWhatALoaderWrites) {
    FakeMemory memory;
    BootInfo info;
    const auto bytes = good().finish();
    ASSERT_TRUE(parse(bytes, info, memory).ok());
    EXPECT_EQ(info.loader, "GRUB 2.06");
    EXPECT_EQ(info.command_line, "com1=115200 loglvl=all");
    ASSERT_EQ(info.memory.size(), 3u);
    EXPECT_EQ(info.memory[1].start, 0x100000u);
    EXPECT_EQ(info.memory[1].end, 0x10000000u);
    EXPECT_EQ(info.memory[2].kind, MemoryKind::reserved);
    ASSERT_EQ(info.modules.size(), 2u);
    EXPECT_EQ(info.modules[0].arguments, "root=/dev/sda1");
    EXPECT_EQ(info.modules[0].size, 0x100000u);
    // The newer root pointer is the one that counts, wherever it stands.
    ASSERT_EQ(memory.view(info.rsdp, 36).size(), 36u);
    EXPECT_EQ(memory.view(info.rsdp, 36)[0], 'R');
}

TEST(Multiboot2, TheNewerRootPointerWins) {
    for (const bool newer_first : {false, true}) {
        Tags tags;
        for (const bool newer : {newer_first, !newer_first}) {
            tags.tag(newer ? 15 : 14, std::vector<u8>(newer ? 36 : 20, newer ? 'N' : 'O'));
        }
        FakeMemory memory;
        BootInfo info;
        ASSERT_TRUE(parse(tags.finish(), info, memory).ok());
        EXPECT_EQ(memory.view(info.rsdp, 1)[0], 'N');
    }
}

TEST(Multiboot2, ARootPointerThatIsNotAllThereIsNone) {
    FakeMemory memory;
    BootInfo info;
    ASSERT_TRUE(parse(Tags().tag(14, std::vector<u8>(19, 'O')).tag(15, std::vector<u8>(35, 'N')).finish(), info, memory).ok());
    EXPECT_EQ(info.rsdp, 0u);
}

TEST(Multiboot2, BadStructuresAreErrors) {
    EXPECT_EQ(error_of({}), Errno::einval);
    EXPECT_EQ(error_of(good().finish(false)), Errno::einval) << "no end tag";
    EXPECT_EQ(error_of(Tags().map(23, {}).finish()), Errno::einval) << "entries too small";
    EXPECT_EQ(error_of(Tags().map(0, {}).finish()), Errno::einval);
    EXPECT_EQ(error_of(Tags().tag(6, {1, 2}).finish()), Errno::einval) << "a map without a head";
    EXPECT_EQ(error_of(Tags().map(24, {{~u64{0xfff}, 0x2000, 1}}).finish()), Errno::einval) << "wraps";
    EXPECT_EQ(error_of(Tags().module(0x2000, 0x1000, "").finish()), Errno::einval);
    EXPECT_EQ(error_of(Tags().tag(3, {0, 0, 0, 0, 0, 0, 0}).finish()), Errno::einval) << "half a module";
    for (const u32 size : {0u, 7u, 0x1000u, ~u32{0}}) {
        auto bytes = good().finish();
        std::memcpy(bytes.data() + 12, &size, 4);
        EXPECT_EQ(error_of(bytes), Errno::einval) << "tag of size " << size;
    }
    for (const u32 total : {0u, 15u, 0x100001u, ~u32{0}}) {
        auto bytes = good().finish();
        std::memcpy(bytes.data(), &total, 4);
        EXPECT_EQ(error_of(bytes), Errno::einval) << "total " << total;
    }
}

TEST(Multiboot2, TruncatedInformationIsAnError) {
    const auto all = good().finish();
    for (usize length = 0; length < all.size(); ++length) {
        EXPECT_EQ(error_of({all.begin(), all.begin() + static_cast<long>(length)}), Errno::einval);
    }
    // As above, but the list believes that it ends there.
    for (u32 length = 16; length < all.size() - 8; ++length) {
        std::vector<u8> bytes(all.begin(), all.begin() + length);
        std::memcpy(bytes.data(), &length, 4);
        EXPECT_EQ(error_of(bytes), Errno::einval) << length;
    }
}

TEST(Multiboot2, SurplusModulesAreLeftOut) {
    Tags tags;
    for (u32 i = 0; i < max_modules + 4; ++i) tags.module(i << 12, (i + 1) << 12, "m");
    FakeMemory memory;
    BootInfo info;
    ASSERT_TRUE(parse(tags.finish(), info, memory).ok());
    EXPECT_TRUE(info.modules.full());
}

TEST(Multiboot2, SurvivesAnything) {
    FakeMemory memory;
    memory.put(info_at, good().finish());
    expect_survives_anything(memory, parse_multiboot2, info_at);
}

}  // namespace
}  // namespace px::boot
