// Finding a section of a loaded PE image.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/efi/sections.hpp"

#include <algorithm>
#include <cstring>

namespace px::efi {
namespace {

template <class T>
T get(std::span<const u8> bytes, u64 offset) {
    T value{};
    if (offset <= bytes.size() && sizeof value <= bytes.size() - offset) std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace

std::span<const u8> image_section(std::span<const u8> image, std::string_view name) {
    constexpr u32 signature = 0x4550;
    constexpr usize file_header = 24, section_header = 40, name_size = 8;
    const u64 header = get<u32>(image, 0x3c);
    if (get<u32>(image, header) != signature || name.size() > name_size) return {};
    const u64 sections = header + file_header + get<u16>(image, header + 20);
    for (u32 i = 0; i < get<u16>(image, header + 6); ++i) {
        const u64 at = sections + i * section_header;
        if (at + section_header > image.size()) return {};
        char found[name_size];
        std::memcpy(found, image.data() + at, name_size);
        const std::string_view text(found, static_cast<usize>(std::find(found, found + name_size, '\0') - found));
        if (text != name) continue;
        // What the file holds less the padding to the file's alignment; writers differ in whether they set the true size.
        const u64 virtual_size = get<u32>(image, at + 8), start = get<u32>(image, at + 12), raw_size = get<u32>(image, at + 16);
        const u64 size = virtual_size != 0 ? std::min(virtual_size, raw_size) : raw_size;
        if (start > image.size() || size > image.size() - start) return {};
        return image.subspan(start, size);
    }
    return {};
}

}  // namespace px::efi
