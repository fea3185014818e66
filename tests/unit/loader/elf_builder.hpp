// Makes small ELF files and bzImages for the loader's tests, good ones and bad ones.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/abi/elfnote.hpp"
#include "hypervisor/base/types.hpp"

namespace px::loader::test {

using Buffer = std::vector<u8>;

inline void append(Buffer& to, const void* data, usize size) {
    const auto* bytes = static_cast<const u8*>(data);
    to.insert(to.end(), bytes, bytes + size);
}
template <class T>
void append_value(Buffer& to, T value) {
    append(to, &value, sizeof value);
}
template <class T>
void poke(Buffer& bytes, usize offset, T value) {
    std::memcpy(&bytes.at(offset + sizeof value - 1) - (sizeof value - 1), &value, sizeof value);
}

/// Notes one behind the other.
class Notes {
public:
    Notes& raw(std::string_view name, u32 type, const Buffer& value) {
        append_value(bytes_, static_cast<u32>(name.size() + 1));
        append_value(bytes_, static_cast<u32>(value.size()));
        append_value(bytes_, type);
        append(bytes_, name.data(), name.size());
        pad(1);
        append(bytes_, value.data(), value.size());
        pad(0);
        return *this;
    }
    Notes& text(abi::ElfNote type, std::string_view value) {
        Buffer bytes(value.begin(), value.end());
        bytes.push_back(0);
        return raw("Xen", static_cast<u32>(type), bytes);
    }
    template <class T>
    Notes& number(abi::ElfNote type, T value) {
        Buffer bytes;
        append_value(bytes, value);
        return raw("Xen", static_cast<u32>(type), bytes);
    }
    const Buffer& bytes() const { return bytes_; }

private:
    /// At least `least` zeros, up to a multiple of 4.
    void pad(usize least) { bytes_.resize(align_up<usize>(bytes_.size() + least, 4)); }
    Buffer bytes_;
};

struct Elf64 {
    using Ehdr = Elf64_Ehdr;
    using Phdr = Elf64_Phdr;
    using Shdr = Elf64_Shdr;
    static constexpr u8 file_class = ELFCLASS64;
    static constexpr u16 machine = EM_X86_64;
};
struct Elf32 {
    using Ehdr = Elf32_Ehdr;
    using Phdr = Elf32_Phdr;
    using Shdr = Elf32_Shdr;
    static constexpr u8 file_class = ELFCLASS32;
    static constexpr u16 machine = EM_386;
};

/// Header, program headers, section headers, then the content. Whoever wants a bad file changes `header`,
/// `segments` or `sections` before build().
template <class Layout>
class ElfBuilder {
public:
    typename Layout::Ehdr header{};
    std::vector<typename Layout::Phdr> segments;
    std::vector<typename Layout::Shdr> sections;

    ElfBuilder() {
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = Layout::file_class;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_ident[EI_VERSION] = EV_CURRENT;
        header.e_type = ET_EXEC;
        header.e_machine = Layout::machine;
        header.e_version = EV_CURRENT;
        header.e_phentsize = sizeof(typename Layout::Phdr);
        header.e_shentsize = sizeof(typename Layout::Shdr);
    }

    /// A segment at `address` (physical, virtual 2 GiB higher up) with `bytes` in the file.
    ElfBuilder& load(u64 address, Buffer bytes, u64 memory_size) {
        typename Layout::Phdr segment{};
        segment.p_type = PT_LOAD;
        segment.p_paddr = static_cast<decltype(segment.p_paddr)>(address);
        segment.p_vaddr = static_cast<decltype(segment.p_vaddr)>(address + 0x80000000);
        segment.p_memsz = static_cast<decltype(segment.p_memsz)>(memory_size);
        return add_segment(segment, std::move(bytes));
    }
    ElfBuilder& notes_segment(const Notes& notes) {
        typename Layout::Phdr segment{};
        segment.p_type = PT_NOTE;
        return add_segment(segment, notes.bytes());
    }
    ElfBuilder& notes_section(const Notes& notes) {
        typename Layout::Shdr section{};
        section.sh_type = SHT_NOTE;
        section.sh_size = static_cast<decltype(section.sh_size)>(notes.bytes().size());
        sections.push_back(section);
        section_bytes_.push_back(notes.bytes());
        return *this;
    }

    /// Fills in offsets and counts.
    void lay_out() {
        header.e_phoff = sizeof header;
        header.e_phnum = static_cast<u16>(segments.size());
        usize at = sizeof header + segments.size() * sizeof segments[0];
        header.e_shoff = sections.empty() ? 0 : static_cast<decltype(header.e_shoff)>(at);
        header.e_shnum = static_cast<u16>(sections.size());
        at += sections.size() * sizeof(typename Layout::Shdr);
        for (usize i = 0; i < segments.size(); ++i) {
            segments[i].p_offset = static_cast<decltype(segments[i].p_offset)>(at);
            at += segment_bytes_[i].size();
        }
        for (usize i = 0; i < sections.size(); ++i) {
            sections[i].sh_offset = static_cast<decltype(sections[i].sh_offset)>(at);
            at += section_bytes_[i].size();
        }
    }
    /// The file as header and tables now are: call lay_out() before.
    Buffer emit() const {
        Buffer file;
        append(file, &header, sizeof header);
        append(file, segments.data(), segments.size() * sizeof(typename Layout::Phdr));
        append(file, sections.data(), sections.size() * sizeof(typename Layout::Shdr));
        for (const auto& bytes : segment_bytes_) append(file, bytes.data(), bytes.size());
        for (const auto& bytes : section_bytes_) append(file, bytes.data(), bytes.size());
        return file;
    }
    Buffer build() {
        lay_out();
        return emit();
    }

private:
    ElfBuilder& add_segment(typename Layout::Phdr segment, Buffer bytes) {
        segment.p_filesz = static_cast<decltype(segment.p_filesz)>(bytes.size());
        if (segment.p_type == PT_NOTE) segment.p_memsz = segment.p_filesz;
        segments.push_back(segment);
        segment_bytes_.push_back(std::move(bytes));
        return *this;
    }
    std::vector<Buffer> segment_bytes_, section_bytes_;
};

/// Bytes that compress, but not to nothing.
inline Buffer sample_bytes(usize size) {
    Buffer bytes(size);
    u32 state = 12345;
    for (usize i = 0; i < size; ++i) {
        state = state * 1664525 + 1013904223;
        bytes[i] = i % 7 == 0 ? static_cast<u8>(state >> 24) : static_cast<u8>("\xe8kernel"[i % 7]);
    }
    return bytes;
}

/// A kernel for PVH and PV: code with a tail of zeros at 16 MiB, data at 18 MiB.
inline ElfBuilder<Elf64> sample_kernel() {
    using enum abi::ElfNote;
    Notes notes;
    notes.raw("GNU", 3, sample_bytes(20))
        .number(phys32_entry, u64{0x1000040})
        .number(entry, u64{0x81000080})
        .number(hypercall_page, u64{0x81001000})
        .number(virt_base, u64{0x80000000})
        .text(xen_version, "xen-3.0")
        .text(guest_os, "testos")
        .text(loader, "generic")
        .text(features, "!writable_page_tables|pae_pgdir_above_4gb|of_tomorrow");
    ElfBuilder<Elf64> builder;
    builder.load(0x1000000, sample_bytes(0x1800), 0x3000).load(0x1200000, sample_bytes(0x400), 0x400).notes_segment(notes);
    return builder;
}

/// A bzImage of boot protocol 2.15 around `payload`, to which `size` is appended unless it is nullopt (gzip
/// has it already).
inline Buffer bzimage_around(const Buffer& payload, const u32* size, u8 setup_sectors = 3) {
    constexpr usize version_at = 0x300, payload_at = 0x80;
    const usize setup_size = ((setup_sectors ? setup_sectors : 4) + 1) * 512;
    Buffer file(setup_size + payload_at);
    file[0x1f1] = setup_sectors;
    poke(file, 0x1fe, u16{0xaa55});
    poke(file, 0x202, u32{0x53726448});
    poke(file, 0x206, u16{0x20f});
    poke(file, 0x20e, u16{version_at - 0x200});
    std::memcpy(&file[version_at], "6.1.0-test", 11);
    poke(file, 0x248, u32{payload_at});
    poke(file, 0x24c, static_cast<u32>(payload.size() + (size ? 4 : 0)));
    append(file, payload.data(), payload.size());
    if (size) append_value(file, *size);
    return file;
}

}  // namespace px::loader::test
