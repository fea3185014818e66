// Reading ELF headers.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/elf.hpp"

#include "boot/loader/bytes.hpp"

namespace px::loader {
namespace {

constexpr u8 class_32 = 1, class_64 = 2, little_endian = 1, current_version = 1;
constexpr u16 executable = 2, shared_object = 3;

struct Identity {
    u8 magic[4], file_class, encoding, version, padding[9];
};

template <class Address>
struct Header {
    Identity identity;
    u16 type, machine;
    u32 version;
    Address entry, segments, sections;
    u32 flags;
    u16 header_size, segment_size, segment_count, section_size, section_count, names;
};

struct Layout32 {
    using Header = loader::Header<u32>;
    struct Segment {
        u32 type, offset, virtual_address, physical_address, file_size, memory_size, flags, alignment;
    };
    struct Section {
        u32 name, type, flags, address, offset, size, link, info, alignment, entry_size;
    };
};
static_assert(sizeof(Layout32::Header) == 52 && sizeof(Layout32::Segment) == 32 && sizeof(Layout32::Section) == 40);

struct Layout64 {
    using Header = loader::Header<u64>;
    struct Segment {
        u32 type, flags;
        u64 offset, virtual_address, physical_address, file_size, memory_size, alignment;
    };
    struct Section {
        u32 name, type;
        u64 flags, address, offset, size;
        u32 link, info;
        u64 alignment, entry_size;
    };
};
static_assert(sizeof(Layout64::Header) == 64 && sizeof(Layout64::Segment) == 56 && sizeof(Layout64::Section) == 64);

/// For what parse() has already found to lie within the file.
template <class T>
T read_checked(std::span<const u8> file, u64 offset) {
    T value;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

template <class Raw>
ElfSegment segment_at(std::span<const u8> file, u64 table, u32 index) {
    const auto raw = read_checked<Raw>(file, table + u64{index} * sizeof(Raw));
    return {raw.type, raw.offset, raw.virtual_address, raw.physical_address, raw.file_size, raw.memory_size};
}

template <class Raw>
ElfSection section_at(std::span<const u8> file, u64 table, u32 index) {
    const auto raw = read_checked<Raw>(file, table + u64{index} * sizeof(Raw));
    return {raw.type, raw.offset, raw.size};
}

}  // namespace

Loaded<ElfFile> ElfFile::parse(std::span<const u8> file) {
    const auto identity = TRY(read_at<Identity>(file, 0, LoadError::elf_truncated));
    if (!starts_with(file, {0x7f, 'E', 'L', 'F'}) || identity.encoding != little_endian || identity.version != current_version)
        return Err{LoadError::elf_bad_identity};
    switch (identity.file_class) {
    case class_32: return parse_as<Layout32>(file);
    case class_64: return parse_as<Layout64>(file);
    default: return Err{LoadError::elf_bad_identity};
    }
}

template <class Layout>
Loaded<ElfFile> ElfFile::parse_as(std::span<const u8> file) {
    const auto header = TRY(read_at<typename Layout::Header>(file, 0, LoadError::elf_truncated));
    ElfFile elf;
    elf.file_ = file;
    elf.is_64bit_ = sizeof(header.entry) == sizeof(u64);
    elf.machine_ = ElfMachine{header.machine};
    elf.entry_ = header.entry;
    if (elf.machine_ != (elf.is_64bit_ ? ElfMachine::x86_64 : ElfMachine::x86_32)) return Err{LoadError::elf_wrong_machine};
    if (header.type != executable && header.type != shared_object) return Err{LoadError::elf_wrong_type};
    elf.segments_ = TRY(check_table<typename Layout::Segment>(file, header.segments, header.segment_count, header.segment_size));
    elf.sections_ = TRY(check_table<typename Layout::Section>(file, header.sections, header.section_count, header.section_size));
    return elf;
}

template <class Entry>
Loaded<ElfFile::Table> ElfFile::check_table(std::span<const u8> file, u64 offset, u16 count, u16 entry_size) {
    if (count == 0) return Table{};
    if (entry_size != sizeof(Entry)) return Err{LoadError::elf_bad_tables};
    TRY(slice(file, offset, u64{count} * sizeof(Entry), LoadError::elf_tables_outside_file));
    return Table{offset, count};
}

ElfSegment ElfFile::segment(u32 index) const {
    return is_64bit_ ? segment_at<Layout64::Segment>(file_, segments_.offset, index)
                     : segment_at<Layout32::Segment>(file_, segments_.offset, index);
}

ElfSection ElfFile::section(u32 index) const {
    return is_64bit_ ? section_at<Layout64::Section>(file_, sections_.offset, index)
                     : section_at<Layout32::Section>(file_, sections_.offset, index);
}

}  // namespace px::loader
