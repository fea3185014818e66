// The Multiboot 2 information: a list of tags. [multiboot2 2.0, 3.6]
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "boot/entry/boot_info.hpp"

namespace px::boot {
namespace {

enum class Tag : u32 {
    end = 0,
    command_line = 1,
    loader_name = 2,
    module = 3,
    memory_map = 6,
    framebuffer = 8,
    acpi_old = 14,
    acpi_new = 15,
};

/// By this protocol no loader passes an image's name.
constexpr std::string_view grub2 = "GRUB 2";

constexpr u32 rsdp_size_old = 20, rsdp_size_new = 36;  // [acpi 5.2.5.3]

template <class T>
T get(std::span<const u8> bytes, usize offset) {
    T value{};
    if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::string_view text(std::span<const u8> bytes, usize offset) {
    if (offset >= bytes.size()) return {};
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()) + offset, bytes.size() - offset);
    return all.substr(0, all.find('\0'));
}

Result<> parse_memory_map(std::span<const u8> tag, BootInfo& out) {
    const u32 entry_size = get<u32>(tag, 8);
    REQUIRE(entry_size >= 24 && entry_size <= 4096, einval);
    for (usize at = 16; at + entry_size <= tag.size(); at += entry_size) {
        const u64 base = get<u64>(tag, at), length = get<u64>(tag, at + 8);
        const u32 kind = get<u32>(tag, at + 16);
        TRY(out.add_memory(base, length, kind));
    }
    return {};
}

Result<> parse_module(std::span<const u8> tag, BootInfo& out) {
    const u32 start = get<u32>(tag, 8), end = get<u32>(tag, 12);
    REQUIRE(tag.size() >= 16 && end >= start, einval);
    if (out.modules.full()) return {};
    return out.modules.push_back({start, u64{end} - start, without_image_name(grub2, text(tag, 16))});
}

/// [multiboot2 2.0, 3.6.12] One in indexed colours is of no use.
Screen parse_framebuffer(std::span<const u8> tag) {
    enum class Type : u8 { indexed = 0, direct = 1, text = 2 };
    const auto field = [&](usize offset) { return ColourField{get<u8>(tag, offset), get<u8>(tag, offset + 1)}; };
    switch (Type{get<u8>(tag, 29)}) {
    case Type::direct:
        return {Screen::Kind::framebuffer,
                {.address = get<u64>(tag, 8),
                 .width = get<u32>(tag, 20),
                 .height = get<u32>(tag, 24),
                 .pitch = get<u32>(tag, 16),
                 .bits = get<u8>(tag, 28),
                 .red = field(32),
                 .green = field(34),
                 .blue = field(36)}};
    case Type::text: return {Screen::Kind::text, {}};
    default: return {Screen::Kind::none, {}};
    }
}

}  // namespace

Result<> parse_multiboot2(const BootMemory& memory, u64 address, BootInfo& out) {
    const u32 total = TRY(memory.read<u32>(address));
    REQUIRE(total >= 16 && total <= (1u << 20), einval);
    const auto all = memory.view(address, total);
    REQUIRE(all.size() == total, einval);

    for (usize at = 8; at + 8 <= total;) {
        const u32 size = get<u32>(all, at + 4);
        REQUIRE(size >= 8 && size <= total - at, einval);
        const auto tag = all.subspan(at, size);
        switch (Tag{get<u32>(tag, 0)}) {
        case Tag::end: return {};
        case Tag::command_line: out.command_line = without_image_name(grub2, text(tag, 8)); break;
        case Tag::loader_name: out.loader = text(tag, 8); break;
        case Tag::module: TRY(parse_module(tag, out)); break;
        case Tag::memory_map: TRY(parse_memory_map(tag, out)); break;
        case Tag::framebuffer:
            if (size >= 32) out.screen = parse_framebuffer(tag);
            break;
        case Tag::acpi_old:
            if (out.rsdp == 0 && size >= 8 + rsdp_size_old) out.rsdp = address + at + 8;
            break;
        case Tag::acpi_new:
            if (size >= 8 + rsdp_size_new) out.rsdp = address + at + 8;
            break;
        }
        at += align_up<usize>(size, 8);
    }
    return Err{Errno::einval};
}

}  // namespace px::boot
