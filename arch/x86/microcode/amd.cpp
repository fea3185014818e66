// AMD's containers.
//
//   "DMA\0", then sections of type, size, content: first type 0, the table of equivalent processors (16 bytes each: signature, two masks,
//   id, reserved; ended by signature 0), then type 1, patches, whose header has the revision at 4 and the processor's id at 24.
//   Another container may follow.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/microcode/bytes.hpp"
#include "arch/x86/microcode/container.hpp"

namespace px::arch::microcode {
namespace {

constexpr u32 magic = 0x00414d44, section_table = 0, section_patch = 1;
constexpr usize section_header = 8, table_row = 16, patch_header = 64;

struct Section {
    u32 type;
    std::span<const u8> content;
};

Result<Section, std::string_view> take_section(std::span<const u8>& file) {
    if (file.size() < section_header) return Err{std::string_view("ends within a section's header")};
    const u32 type = get<u32>(file, 0), size = get<u32>(file, 4);
    if (size > file.size() - section_header) return Err{std::string_view("ends within a section")};
    const Section section{type, file.subspan(section_header, size)};
    file = file.subspan(section_header + size);
    return section;
}

/// The id under which patches name this processor, 0: the table doesn't have it.
u16 equivalent_id(std::span<const u8> table, u32 signature) {
    for (usize at = 0; at + table_row <= table.size(); at += table_row) {
        const u32 row = get<u32>(table, at);
        if (row == 0) break;
        if (row == signature) return get<u16>(table, at + 12);
    }
    return 0;
}

}  // namespace

Result<Update, std::string_view> find_amd(std::span<const u8> file, const Cpu& cpu) {
    if (get<u32>(file, 0) != magic) return Err{std::string_view("isn't a container of AMD's")};
    Update best;
    bool any_fits = false;
    u16 id = 0;
    while (!file.empty()) {
        if (get<u32>(file, 0) == magic) {
            file = file.subspan(sizeof magic);
            const Section table = TRY(take_section(file));
            if (table.type != section_table) return Err{std::string_view("has a container without a table of processors")};
            id = equivalent_id(table.content, cpu.signature);
            continue;
        }
        const Section patch = TRY(take_section(file));
        if (patch.type != section_patch) return Err{std::string_view("has a section of unknown type")};
        if (patch.content.size() < patch_header) return Err{std::string_view("has a patch without a header")};
        if (id == 0 || get<u16>(patch.content, 24) != id) continue;
        any_fits = true;
        const u32 revision = get<u32>(patch.content, 4);
        if (revision > (best.bytes.empty() ? cpu.revision : best.revision)) best = {patch.content, patch.content, revision};
    }
    if (best.bytes.empty()) return Err{std::string_view(any_fits ? "has nothing newer for this CPU" : "has nothing for this CPU")};
    return best;
}

}  // namespace px::arch::microcode
