// Archives of the form "newc": headers of text, each followed by a name and a file, both padded to 4 bytes.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/cpio.hpp"

#include "hypervisor/base/number_text.hpp"

namespace px::loader {
namespace {

constexpr usize magic_size = 6, field_size = 8, header_size = 110;
constexpr unsigned field_file_size = 6, field_name_size = 11;

std::string_view text_at(std::span<const u8> bytes, usize offset, usize size) {
    return {reinterpret_cast<const char*>(bytes.data()) + offset, size};
}

std::optional<u32> field(std::span<const u8> header, unsigned index) {
    u32 value = 0;
    for (const char c : text_at(header, magic_size + index * field_size, field_size)) {
        if (digit_value(c) >= 16) return std::nullopt;
        value = value << 4 | digit_value(c);
    }
    return value;
}

bool begins_entry(std::span<const u8> bytes) {
    if (bytes.size() < header_size) return false;
    const auto magic = text_at(bytes, 0, magic_size);
    return magic == "070701" || magic == "070702";
}

}  // namespace

std::optional<std::span<const u8>> find_in_cpio(std::span<const u8> initrd, std::string_view path) {
    // Zeros stand between archives.
    for (usize at = 0;;) {
        while (at + 4 <= initrd.size() && initrd[at] == 0) at += 4;
        if (at > initrd.size() || !begins_entry(initrd.subspan(at))) return std::nullopt;
        const auto entry = initrd.subspan(at);
        const auto file_size = field(entry, field_file_size), name_size = field(entry, field_name_size);
        if (!file_size || !name_size || *name_size == 0) return std::nullopt;
        const u64 content = align_up<u64>(u64{header_size} + *name_size, 4);
        if (content > entry.size() || *file_size > entry.size() - content) return std::nullopt;
        std::string_view name = text_at(entry, header_size, *name_size);
        name = name.substr(0, name.find('\0'));
        if (name.starts_with("./")) name.remove_prefix(2);
        if (name == path) return entry.subspan(content, *file_size);
        at += align_up<u64>(content + *file_size, 4);
    }
}

}  // namespace px::loader
