// ElfFile: a checked view of an ELF file, 32 or 64 bits, for x86 [elf gABI 4, 5].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "boot/loader/errors.hpp"

namespace px::loader {

/// Program header types and section header types that a loader looks at.
namespace elf {
inline constexpr u32 pt_load = 1;
inline constexpr u32 pt_note = 4;
inline constexpr u32 sht_note = 7;
}  // namespace elf

enum class ElfMachine : u16 { x86_32 = 3, x86_64 = 62 };

/// A program header, widened to 64 bits.
struct ElfSegment {
    u32 type;
    u64 offset;
    u64 virtual_address;
    u64 physical_address;
    u64 file_size;
    u64 memory_size;
};

/// A section header, widened to 64 bits.
struct ElfSection {
    u32 type;
    u64 offset;
    u64 size;
};

/// Keeps a view of the file's bytes. parse() has checked the header and that both tables lie within the file,
/// so the accessors can't fail; what the tables' entries say is unchecked.
class ElfFile {
public:
    /// Errors: elf_truncated, elf_bad_identity, elf_wrong_machine, elf_wrong_type, elf_bad_tables,
    /// elf_tables_outside_file.
    static Loaded<ElfFile> parse(std::span<const u8> file);

    std::span<const u8> bytes() const { return file_; }
    bool is_64bit() const { return is_64bit_; }
    ElfMachine machine() const { return machine_; }
    /// e_entry: an address of whichever kind the kernel's makers chose.
    u64 entry() const { return entry_; }

    u32 segment_count() const { return segments_.count; }
    u32 section_count() const { return sections_.count; }
    /// `index` is below segment_count().
    ElfSegment segment(u32 index) const;
    /// `index` is below section_count().
    ElfSection section(u32 index) const;

private:
    struct Table {
        u64 offset;
        u32 count;
    };
    template <class Layout>
    static Loaded<ElfFile> parse_as(std::span<const u8> file);
    /// The table of `count` entries of `entry_size`, which must be `Entry`'s.
    template <class Entry>
    static Loaded<Table> check_table(std::span<const u8> file, u64 offset, u16 count, u16 entry_size);

    std::span<const u8> file_;
    bool is_64bit_{};
    ElfMachine machine_{};
    u64 entry_{};
    Table segments_{};
    Table sections_{};
};

}  // namespace px::loader
