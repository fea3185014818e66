// Files, ELF, notes and segments: good kernels, and each reason to refuse one.
//
// SPDX-License-Identifier: Apache-2.0
#include "boot/loader/kernel_image.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/unit/loader/elf_builder.hpp"

namespace px::loader::test {
namespace {

LoadError error_of(const Buffer& file) {
    const auto image = KernelImage::parse(file);
    EXPECT_FALSE(image.ok());
    return image.ok() ? LoadError{255} : image.error();
}

TEST(KernelImage, DescribesASampleKernel) {
    const auto file = sample_kernel().build();
    const auto image = KernelImage::parse(file).value();
    ASSERT_EQ(image.segments().size(), 2u);
    EXPECT_EQ(image.segments()[0].place, (Extent{0x1000000, 0x1003000}));
    EXPECT_EQ(Buffer(image.segments()[0].bytes.begin(), image.segments()[0].bytes.end()), sample_bytes(0x1800));
    EXPECT_EQ(image.segments()[1].place, (Extent{0x1200000, 0x1200400}));
    EXPECT_EQ(image.extent(), (Extent{0x1000000, 0x1200400}));
    EXPECT_EQ(image.pvh_entry().value(), 0x1000040u);
}

TEST(KernelImage, KnowsItsNotes) {
    using enum abi::ElfNote;
    Notes notes;
    notes.number(phys32_entry, u32{0x1000000}).number(init_p2m, u64{1} << 39).number(hv_start_low, u64{0xffff800000000000});
    notes.text(pae_mode, "yes").text(guest_version, "2.6").number(suspend_cancel, u32{1}).number(mod_start_pfn, u32{1});
    notes.number(supported_features, u32{1u << 11 | 1u << 15}).text(features, "!writable_page_tables|hvm_pirqs|unheard_of");
    notes.text(bsd_symtab, "yes").number(paddr_offset, u64{0x100});
    struct {
        u64 mask, value;
    } pair{1, 3};
    notes.number(l1_mfn_valid, pair).raw("GNU", 18, {1, 2, 3, 4});
    ElfBuilder<Elf64> builder;
    builder.load(0x1000000, sample_bytes(16), 16).notes_segment(notes);
    const auto file = builder.build();
    const auto image = KernelImage::parse(file).value();
    const auto& read = image.notes();
    EXPECT_EQ(read.phys32_entry, 0x1000000u);
    EXPECT_EQ(read.init_p2m, u64{1} << 39);
    EXPECT_EQ(read.hv_start_low, 0xffff800000000000);
    EXPECT_EQ(read.paddr_offset, 0x100u);
    EXPECT_EQ(read.pae_mode, "yes");
    EXPECT_EQ(read.guest_version, "2.6");
    EXPECT_TRUE(read.suspend_cancel && read.mod_start_pfn && read.bsd_symtab);
    EXPECT_EQ(read.features_supported.bits, 1u << 0 | 1u << 10 | 1u << 11 | 1u << 15);
    EXPECT_EQ(read.features_required.bits, 1u << 0);
    EXPECT_EQ(read.l1_mfn_valid->mask, 1u);
    EXPECT_EQ(read.l1_mfn_valid->value, 3u);
    EXPECT_FALSE(read.entry || read.hypercall_page || read.virt_base);
}

TEST(KernelImage, FindsNotesInSectionsOnlyIfSegmentsHaveNone) {
    using enum abi::ElfNote;
    Notes empty, here, there;
    here.number(phys32_entry, u32{0x1000004});
    there.number(phys32_entry, u32{0x1000008});
    ElfBuilder<Elf64> fallback;
    fallback.load(0x1000000, sample_bytes(16), 16).notes_segment(empty).notes_section(empty).notes_section(there);
    const auto by_section = fallback.build();
    EXPECT_EQ(KernelImage::parse(by_section).value().pvh_entry().value(), 0x1000008u);
    ElfBuilder<Elf64> both;
    both.load(0x1000000, sample_bytes(16), 16).notes_segment(here).notes_section(there);
    const auto by_segment = both.build();
    EXPECT_EQ(KernelImage::parse(by_segment).value().pvh_entry().value(), 0x1000004u);
}

TEST(KernelImage, Reads32BitFiles) {
    using enum abi::ElfNote;
    struct {
        u32 mask, value;
    } pair{5, 7};
    Notes notes;
    notes.number(phys32_entry, u32{0x100010}).number(l1_mfn_valid, pair);
    ElfBuilder<Elf32> builder;
    builder.load(0x100000, sample_bytes(64), 0x1000).notes_segment(notes);
    builder.header.e_entry = 0x100020;
    const auto file = builder.build();
    const auto image = KernelImage::parse(file).value();
    EXPECT_FALSE(image.elf().is_64bit());
    EXPECT_EQ(image.pvh_entry().value(), 0x100010u);
    EXPECT_EQ(image.firmware_entry().value(), 0x100020u);
    EXPECT_EQ(image.extent(), (Extent{0x100000, 0x101000}));
    EXPECT_EQ(image.notes().l1_mfn_valid->value, 7u);
}

TEST(KernelImage, GivesWhatPvNeeds) {
    const auto file = sample_kernel().build();
    const auto image = KernelImage::parse(file).value();
    const auto pv = image.pv().value();
    EXPECT_EQ(pv.base, 0x80000000u);
    EXPECT_EQ(pv.kernel, (Extent{0x81000000, 0x81200400}));
    EXPECT_EQ(pv.entry, 0x81000080u);
    EXPECT_EQ(pv.hypercall_page, 0x81001000u);
    EXPECT_EQ(pv.to_virtual(0x1000000), 0x81000000u);
}

/// The sample kernel's segments with other notes.
Loaded<PvImage> pv_with(const Notes& notes) {
    ElfBuilder<Elf64> builder;
    builder.load(0x1000000, sample_bytes(16), 0x2000).notes_segment(notes);
    builder.header.e_entry = 0x1000000;
    const auto file = builder.build();
    return KernelImage::parse(file).value().pv();
}

TEST(KernelImage, NamesTheNoteThatPvMisses) {
    using enum abi::ElfNote;
    const auto good = Notes{}.text(xen_version, "xen-3.0").text(loader, "generic");
    EXPECT_TRUE(pv_with(good).ok());
    EXPECT_TRUE(pv_with(Notes{}.text(xen_version, "xen-3.0").text(guest_os, "linux")).ok());
    EXPECT_EQ(pv_with(Notes{}).error(), LoadError::xen_version_missing);
    EXPECT_EQ(pv_with(Notes{}.text(xen_version, "xen-2.0")).error(), LoadError::xen_version_wrong);
    EXPECT_EQ(pv_with(Notes{}.text(xen_version, "xen-3.0")).error(), LoadError::loader_missing);
    EXPECT_EQ(pv_with(Notes{}.text(xen_version, "xen-3.0").text(loader, "own")).error(), LoadError::loader_wrong);
    EXPECT_EQ(pv_with(Notes{good}.number(entry, u64{5})).error(), LoadError::entry_outside_kernel);
    EXPECT_EQ(pv_with(Notes{good}.number(hypercall_page, u64{0x1000010})).error(), LoadError::pv_hypercall_page_outside_kernel);
    EXPECT_EQ(pv_with(Notes{good}.number(hypercall_page, u64{0x1002000})).error(), LoadError::pv_hypercall_page_outside_kernel);
    EXPECT_EQ(pv_with(Notes{good}.number(init_p2m, u64{0x1001000})).error(), LoadError::pv_p2m_inside_kernel);
    EXPECT_EQ(pv_with(Notes{good}.number(virt_base, ~u64{0} - 0x1000fff)).error(), LoadError::pv_address_wraps);
    EXPECT_EQ(pv_with(Notes{good}.number(virt_base, u64{0x5000000}).number(paddr_offset, u64{0x2000000})).error(),
              LoadError::pv_base_above_kernel);
}

TEST(KernelImage, RefusesPvhWithoutItsNoteOrOutsideItsReach) {
    using enum abi::ElfNote;
    const auto pvh_of = [](u64 address, const Notes& notes) {
        ElfBuilder<Elf64> builder;
        builder.load(address, sample_bytes(16), 0x1000).notes_segment(notes);
        const auto file = builder.build();
        return KernelImage::parse(file).value().pvh_entry();
    };
    EXPECT_EQ(pvh_of(0x100000, Notes{}).error(), LoadError::phys32_entry_missing);
    EXPECT_EQ(pvh_of(0x100000, Notes{}.number(phys32_entry, u64{0xfffff})).error(), LoadError::entry_outside_kernel);
    EXPECT_EQ(pvh_of(0x100000, Notes{}.number(phys32_entry, u64{0x101000})).error(), LoadError::entry_outside_kernel);
    EXPECT_EQ(pvh_of(0xffffe000, Notes{}.number(phys32_entry, u64{0xffffe000})).value_or(0), 0xffffe000u);
    EXPECT_EQ(pvh_of(0xfffff800, Notes{}.number(phys32_entry, u64{0xfffff800})).error(), LoadError::pvh_above_4gib);
}

TEST(KernelImage, RefusesBadNotes) {
    using enum abi::ElfNote;
    const auto with = [](const Notes& notes, i64 grow = 0) {
        ElfBuilder<Elf64> builder;
        builder.load(0x1000000, sample_bytes(16), 16).notes_segment(notes);
        builder.lay_out();
        builder.segments[1].p_filesz += static_cast<u64>(grow);
        return error_of(builder.emit());
    };
    EXPECT_EQ(with(Notes{}.raw("Xen", 18, {1, 2, 3})), LoadError::note_bad_number);
    EXPECT_EQ(with(Notes{}.raw("Xen", 18, {})), LoadError::note_bad_number);
    EXPECT_EQ(with(Notes{}.number(l1_mfn_valid, u64{1})), LoadError::note_bad_number);
    EXPECT_EQ(with(Notes{}.text(features, "a|!unheard_of")), LoadError::note_unknown_required_feature);
    EXPECT_EQ(with(Notes{}.number(phys32_entry, u64{1}), -4), LoadError::note_truncated);
    EXPECT_EQ(with(Notes{}.number(phys32_entry, u64{1}), 4), LoadError::note_outside_file);
    EXPECT_EQ(with(Notes{}.number(phys32_entry, u64{1}), i64{1} << 62), LoadError::note_outside_file);
    Notes huge;
    auto bytes = huge.number(phys32_entry, u32{0}).bytes();
    for (const usize field : {0, 4}) {
        ElfBuilder<Elf64> builder;
        builder.load(0x1000000, sample_bytes(16), 16).notes_segment(huge);
        auto file = builder.build();
        poke(file, file.size() - bytes.size() + field, ~u32{0});
        EXPECT_EQ(error_of(file), LoadError::note_truncated) << field;
    }
}

TEST(KernelImage, RefusesBadHeaders) {
    const auto with = [](auto change) {
        auto builder = sample_kernel();
        builder.lay_out();
        change(builder.header);
        return error_of(builder.emit());
    };
    EXPECT_EQ(with([](auto& h) { h.e_ident[0] = 0; }), LoadError::elf_bad_identity);
    EXPECT_EQ(with([](auto& h) { h.e_ident[EI_CLASS] = 3; }), LoadError::elf_bad_identity);
    EXPECT_EQ(with([](auto& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }), LoadError::elf_bad_identity);
    EXPECT_EQ(with([](auto& h) { h.e_ident[EI_VERSION] = 2; }), LoadError::elf_bad_identity);
    EXPECT_EQ(with([](auto& h) { h.e_machine = EM_AARCH64; }), LoadError::elf_wrong_machine);
    EXPECT_EQ(with([](auto& h) { h.e_machine = EM_386; }), LoadError::elf_wrong_machine);
    EXPECT_EQ(with([](auto& h) { h.e_type = ET_REL; }), LoadError::elf_wrong_type);
    EXPECT_EQ(with([](auto& h) { h.e_phentsize = 32; }), LoadError::elf_bad_tables);
    EXPECT_EQ(with([](auto& h) { h.e_phoff = ~u64{0} - 7; }), LoadError::elf_tables_outside_file);
    EXPECT_EQ(with([](auto& h) { h.e_phnum = 0xffff; }), LoadError::elf_tables_outside_file);
    EXPECT_EQ(with([](auto& h) {
                  h.e_shnum = 1;
                  h.e_shoff = u64{1} << 63;
              }),
              LoadError::elf_tables_outside_file);
    EXPECT_EQ(with([](auto& h) { h.e_phnum = 0; }), LoadError::nothing_to_load);
}

TEST(KernelImage, RefusesBadSegments) {
    const auto with = [](auto change) {
        auto builder = sample_kernel();
        builder.lay_out();
        change(builder.segments[1]);
        return error_of(builder.emit());
    };
    EXPECT_EQ(with([](auto& s) { s.p_memsz = s.p_filesz - 1; }), LoadError::segment_shrinks);
    EXPECT_EQ(with([](auto& s) { s.p_offset = ~u64{0}; }), LoadError::segment_outside_file);
    EXPECT_EQ(with([](auto& s) { s.p_filesz = s.p_memsz = u64{1} << 40; }), LoadError::segment_outside_file);
    EXPECT_EQ(with([](auto& s) { s.p_paddr = ~u64{0} - 0x10; }), LoadError::segment_wraps);
    EXPECT_EQ(with([](auto& s) { s.p_memsz = ~u64{0}; }), LoadError::segment_wraps);
    EXPECT_EQ(with([](auto& s) { s.p_paddr = 0x1002fff; }), LoadError::segments_overlap);
    EXPECT_EQ(with([](auto& s) { s.p_paddr = 0xfffc01; }), LoadError::segments_overlap);

    ElfBuilder<Elf64> many;
    for (u64 i = 0; i < KernelImage::max_segments + 1; ++i) many.load(i * 0x1000, {1}, 1);
    EXPECT_EQ(error_of(many.build()), LoadError::too_many_segments);
}

TEST(KernelImage, RefusesEveryTruncation) {
    const auto file = sample_kernel().build();
    for (usize length = 0; length < file.size(); ++length) {
        // A copy of just that length, so that the sanitizer sees a read behind it.
        const Buffer cut(file.begin(), file.begin() + static_cast<long>(length));
        const auto image = KernelImage::parse(cut);
        ASSERT_FALSE(image.ok()) << length;
        const std::set<LoadError> expected{LoadError::elf_truncated, LoadError::elf_tables_outside_file, LoadError::segment_outside_file,
                                           LoadError::note_outside_file};
        ASSERT_TRUE(expected.contains(image.error())) << length << ": " << describe(image.error());
    }
}

TEST(KernelImage, SurvivesDamage) {
    const auto file = sample_kernel().build();
    const usize interesting = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
    const usize notes = sample_kernel().segments.back().p_filesz;
    std::mt19937 random{2};
    for (int round = 0; round < 20'000; ++round) {
        auto damaged = file;
        for (u32 i = 0; i <= random() % 3; ++i) {
            const bool head = random() % 2;
            const usize at = head ? random() % interesting : damaged.size() - 1 - random() % notes;
            damaged[at] = random() % 2 ? static_cast<u8>(random()) : u8{0xff};
        }
        const auto image = KernelImage::parse(damaged);
        if (!image.ok()) continue;
        for (const auto& segment : image.value().segments()) {
            ASSERT_LE(segment.bytes.size(), segment.place.size());
            ASSERT_TRUE(image.value().extent().contains(segment.place));
            if (!segment.bytes.empty()) {
                ASSERT_GE(segment.bytes.data(), damaged.data());
                ASSERT_LE(segment.bytes.data() + segment.bytes.size(), damaged.data() + damaged.size());
            }
        }
        (void)image.value().pvh_entry();
        (void)image.value().pv();
    }
}

/// Guest memory of one extent; refuses anything else.
struct FakeMemory {
    u64 base;
    Buffer bytes;

    Loaded<> write(Gpaddr address, std::span<const u8> data) {
        if (!inside(address.raw, data.size())) return Err{LoadError::guest_memory_write_failed};
        std::ranges::copy(data, bytes.begin() + static_cast<long>(address.raw - base));
        return {};
    }
    Loaded<> zero(Gpaddr address, u64 size) {
        if (!inside(address.raw, size)) return Err{LoadError::guest_memory_write_failed};
        std::fill_n(bytes.begin() + static_cast<long>(address.raw - base), size, u8{0});
        return {};
    }
    bool inside(u64 address, u64 size) const { return address >= base && address + size <= base + bytes.size(); }
};
static_assert(Destination<FakeMemory>);

TEST(KernelImage, LoadsBytesAndZerosAndNothingElse) {
    const auto file = sample_kernel().build();
    const auto image = KernelImage::parse(file).value();
    FakeMemory memory{0x1000000, Buffer(0x200400 + 8, 0xaa)};
    ASSERT_TRUE(load(image, memory).ok());
    Buffer expected(0x200400 + 8, 0xaa);
    std::ranges::copy(sample_bytes(0x1800), expected.begin());
    std::fill_n(expected.begin() + 0x1800, 0x1800, u8{0});
    std::ranges::copy(sample_bytes(0x400), expected.begin() + 0x200000);
    EXPECT_TRUE(memory.bytes == expected);

    FakeMemory small{0x1000000, Buffer(0x200000)};
    EXPECT_EQ(load(image, small).error(), LoadError::guest_memory_write_failed);
}

TEST(LoadError, EachHasASentenceOfItsOwn) {
    std::set<std::string_view> sentences;
    for (u8 i = 0; i <= static_cast<u8>(last_load_error); ++i) {
        const auto sentence = describe(LoadError{i});
        EXPECT_GT(sentence.size(), 20u) << int{i};
        EXPECT_FALSE(sentence.ends_with('.')) << sentence;
        EXPECT_TRUE(sentences.insert(sentence).second) << sentence;
    }
    EXPECT_EQ(describe(LoadError{static_cast<u8>(static_cast<u8>(last_load_error) + 1)}), "unknown error");
}

}  // namespace
}  // namespace px::loader::test
