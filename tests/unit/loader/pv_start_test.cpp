// PV's start of day: its layout, its page tables as the processor walks them, its start info; and what can't be started.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "boot/loader/pv_start_info.hpp"
#include "boot/loader/pv_tables.hpp"
#include "tests/unit/loader/elf_builder.hpp"

namespace px::loader::test {
namespace {

constexpr u64 mib = u64{1} << 20;
constexpr u64 linux_base = 0xffff'ffff'8000'0000;

/// A kernel of 3 MiB at 16 MiB, as Linux is.
PvStartRequest linux_like() {
    PvImage image{.base = linux_base};
    image.kernel = {linux_base + 16 * mib, linux_base + 19 * mib};
    image.entry = image.kernel.start + 0x40;
    image.p2m = u64{1} << 39;
    return {.image = image, .pages = 256 * mib / page_size, .ramdisk_size = 5 * mib + 1, .ramdisk_by_pfn = true, .has_rings = false};
}
/// One that has everything in its first mapping.
PvStartRequest plain() {
    PvImage image{.base = 0};
    image.kernel = {0x100000, 0x180800};
    image.entry = 0x100000;
    return {.image = image, .pages = 32 * mib / page_size, .ramdisk_size = 0x1800, .ramdisk_by_pfn = false, .has_rings = true};
}

/// Machine frames in no order that a mistake could hide behind.
u64 mfn_of(u64 pfn) { return (pfn ^ 0x2d5) + 0x10000; }

struct Walked {
    u64 mfn;
    bool writable;
    auto operator<=>(const Walked&) const = default;
};
/// The first tables of a plan, and a processor that walks them.
class Tables {
public:
    explicit Tables(const PvStart& plan) : plan_(plan) {
        const auto filled = for_each_pv_table(plan, [&](u64 pfn, const TableRun& run, u64 index) -> Loaded<> {
            auto& page = pages_[mfn_of(pfn)];
            EXPECT_TRUE(page.empty()) << "a table twice";
            page.resize(512);
            fill_pv_table(plan, run.level, index, mfn_of, TablePage(page.data(), 512));
            return {};
        });
        EXPECT_TRUE(filled.ok());
    }
    usize count() const { return pages_.size(); }
    std::optional<Walked> walk(u64 address) const {
        u64 table = mfn_of(plan_.tables.first);
        bool writable = true;
        for (unsigned level = 4; level >= 1; --level) {
            const u64 entry = pages_.at(table)[address >> (3 + 9 * level) & 511];
            if ((entry & 1) == 0) return std::nullopt;
            writable = writable && (entry & 2) != 0;
            table = entry >> page_shift;
        }
        return Walked{table, writable};
    }

private:
    const PvStart& plan_;
    std::map<u64, std::vector<u64>> pages_;
};

void expect_mapped_as_planned(const PvStart& plan) {
    const Tables tables(plan);
    EXPECT_EQ(tables.count(), plan.tables.count + plan.p2m_tables.count);
    for (u64 pfn = 0; pfn < plan.mapped; ++pfn) {
        ASSERT_EQ(tables.walk(plan.to_virtual(pfn)), (Walked{mfn_of(pfn), !plan.tables.contains(pfn)})) << pfn;
    }
    EXPECT_FALSE(tables.walk(plan.to_virtual(plan.mapped)));
    EXPECT_FALSE(tables.walk(plan.base - page_size));
    if (!plan.p2m_apart) return;
    for (u64 i = 0; i < plan.p2m.count; ++i) {
        ASSERT_EQ(tables.walk(plan.p2m_address + i * page_size), (Walked{mfn_of(plan.p2m.first + i), true})) << i;
    }
    EXPECT_FALSE(tables.walk(plan.p2m_address + plan.p2m.count * page_size));
}

TEST(PvStart, LinuxHasItsListAndRamdiskBehindTheMapping) {
    const auto plan = plan_pv_start(linux_like()).value();
    EXPECT_EQ(plan.kernel, (PfnRange{0x1000, 0x300}));
    EXPECT_EQ(plan.start_info, 0x1300u);
    EXPECT_EQ(plan.store | plan.console, 0u);
    EXPECT_EQ(plan.tables, (PfnRange{0x1301, 3 + 10})) << "L4, L3, L2, and an L1 for each 2 MiB";
    EXPECT_EQ(plan.stack, 0x130eu);
    EXPECT_EQ(plan.mapped, 0x1400u);
    EXPECT_EQ(plan.p2m, (PfnRange{0x1400, 128}));
    EXPECT_EQ(plan.p2m_tables, (PfnRange{0x1480, 3}));
    EXPECT_EQ(plan.ramdisk, (PfnRange{0x1483, 0x501}));
    EXPECT_EQ(plan.used(), 0x1984u);
    expect_mapped_as_planned(plan);
}

TEST(PvStart, TheOldOrderOfEverythingInOneMapping) {
    const auto plan = plan_pv_start(plain()).value();
    EXPECT_EQ(plan.kernel, (PfnRange{0x100, 0x81}));
    EXPECT_EQ(plan.ramdisk, (PfnRange{0x181, 2}));
    EXPECT_EQ(plan.p2m, (PfnRange{0x183, 16}));
    EXPECT_EQ(plan.start_info, 0x193u);
    EXPECT_EQ(plan.store, 0x194u);
    EXPECT_EQ(plan.console, 0x195u);
    EXPECT_EQ(plan.tables, (PfnRange{0x196, 5}));
    EXPECT_EQ(plan.mapped, 1024u);
    expect_mapped_as_planned(plan);
}

TEST(PvStart, PaddingIsHalfAMegabyteAtLeast) {
    for (u64 kernel_end = 3 * mib; kernel_end <= 4 * mib; kernel_end += page_size) {
        auto request = plain();
        request.image.kernel.end = kernel_end;
        const auto plan = plan_pv_start(request).value();
        const u64 used = plan.stack + 1;
        ASSERT_TRUE(plan.mapped == 1024 || plan.mapped == 2048);
        ASSERT_EQ(plan.mapped == 1024, used + 128 <= 1024) << "no more than it takes";
        ASSERT_EQ(plan.tables.count, 3 + plan.mapped / 512);
    }
}

TEST(PvStart, ABaseAnywhereEndsAtAMultipleOf4MiB) {
    auto request = plain();
    request.image.base = u64{511} << 30 | 0x3ff000;  // its tables cross into another L3's and L2's range
    request.pages = 64 * mib / page_size;
    request.image.kernel = {request.image.base, request.image.base + (u64{1} << 20)};
    request.image.entry = request.image.base;
    const auto plan = plan_pv_start(request).value();
    EXPECT_EQ(plan.to_virtual(plan.mapped) % (4 * mib), 0u);
    expect_mapped_as_planned(plan);
}

TEST(PvStart, RegionsMayShareTables) {
    for (const u64 distance : {u64{5}, u64{6}, u64{1024}, u64{600} << 10}) {
        for (const bool above : {false, true}) {
            auto request = plain();
            request.image.base = u64{1} << 40;
            request.image.kernel = {request.image.base, request.image.base + 0x1000};
            request.image.p2m = above ? request.image.base + distance * mib : request.image.base - distance * mib;
            const auto plan = plan_pv_start(request).value();
            ASSERT_TRUE(plan.p2m_apart);
            expect_mapped_as_planned(plan);
        }
    }
}

LoadError refused(auto change) {
    auto request = linux_like();
    change(request);
    const auto plan = plan_pv_start(request);
    EXPECT_FALSE(plan.ok());
    return plan.ok() ? LoadError{255} : plan.error();
}

TEST(PvStart, RefusesWhatHasNoPlace) {
    using enum LoadError;
    EXPECT_EQ(refused([](auto& r) { r.image.base += 8; }), pv_base_unaligned);
    EXPECT_EQ(refused([](auto& r) { r.pages = 0; }), pv_too_little_memory);
    EXPECT_EQ(refused([](auto& r) { r.pages = 0x1300; }), pv_too_little_memory) << "no page for the start info";
    EXPECT_EQ(refused([](auto& r) { r.pages = 0x1400; }), pv_too_little_memory) << "none for the list";
    EXPECT_EQ(refused([](auto& r) { r.pages = ~u64{0}; }), pv_too_little_memory);
    EXPECT_EQ(refused([](auto& r) { r.ramdisk_size = ~u64{0}; }), pv_too_little_memory);
    EXPECT_EQ(refused([](auto& r) { r.ramdisk_size = 256 * mib; }), pv_too_little_memory);
    EXPECT_EQ(refused([](auto& r) { r.image.p2m = 0xffff'8000'0000'0000; }), pv_p2m_in_the_way);
    EXPECT_EQ(refused([](auto& r) { r.image.p2m = u64{1} << 47; }), pv_p2m_in_the_way);
    EXPECT_EQ(refused([](auto& r) { r.image.p2m = (u64{1} << 47) - page_size; }), pv_p2m_in_the_way) << "its end";
    EXPECT_EQ(refused([](auto& r) { r.image.p2m = *r.image.p2m + 8; }), pv_p2m_in_the_way);
    EXPECT_EQ(refused([](auto& r) { r.image.p2m = linux_base + 20 * mib - page_size; }), pv_p2m_in_the_way);
    EXPECT_EQ(refused([](auto& r) { r.image.p2m = linux_base - page_size; }), pv_p2m_in_the_way);
    const auto at = [](u64 base) {
        return [base](auto& r) {
            r.image.base = base;
            r.image.kernel = {base + 16 * mib, base + 19 * mib};
        };
    };
    EXPECT_EQ(refused(at(0xffff'8000'0000'0000)), pv_addresses_taken);
    EXPECT_EQ(refused(at(0xffff'87ff'ff00'0000)), pv_addresses_taken);
    EXPECT_EQ(refused(at(u64{1} << 47)), pv_addresses_taken);
    EXPECT_EQ(refused(at((u64{1} << 47) - 19 * mib - page_size)), pv_addresses_taken) << "padding";
    EXPECT_EQ(refused(at(0 - 19 * mib - page_size)), pv_addresses_taken) << "wraps";
}

TEST(PvStart, TheLastRangeOfAddressesIsFine) {
    auto request = linux_like();
    request.image.base = 0 - 20 * mib;
    request.image.kernel = {request.image.base + 16 * mib, request.image.base + 19 * mib};
    const auto plan = plan_pv_start(request).value();
    EXPECT_EQ(plan.to_virtual(plan.mapped), 0u);
    EXPECT_EQ(Tables(plan).walk(0 - page_size), (Walked{mfn_of(plan.mapped - 1), true}));
}

struct Page {
    std::array<u8, page_size> bytes{};
    abi::StartInfo info() const {
        abi::StartInfo info;
        std::memcpy(&info, bytes.data(), sizeof info);
        return info;
    }
};

TEST(PvStartInfo, OfDom0) {
    const auto request = linux_like();
    const auto plan = plan_pv_start(request).value();
    Page page;
    abi::Dom0VgaConsoleInfo screen{};
    screen.video_type = static_cast<u8>(abi::VgaType::efi_lfb);
    ASSERT_TRUE(write_pv_start_info(plan,
                                    {.pages = request.pages,
                                     .shared_info = 0x1234000,
                                     .flags = abi::sif::privileged,
                                     .ramdisk_size = request.ramdisk_size,
                                     .command_line = "a b",
                                     .screen = screen},
                                    page.bytes)
                    .ok());
    const auto info = page.info();
    EXPECT_STREQ(info.magic, "xen-3.0-x86_64");
    EXPECT_EQ(info.nr_pages, request.pages);
    EXPECT_EQ(info.shared_info, 0x1234000u);
    EXPECT_EQ(info.flags, abi::sif::privileged | abi::sif::mod_start_pfn | abi::sif::virt_p2m_4tools);
    EXPECT_EQ(info.mod_start, plan.ramdisk.first);
    EXPECT_EQ(info.mod_len, request.ramdisk_size);
    EXPECT_EQ(info.pt_base, plan.to_virtual(plan.tables.first));
    EXPECT_EQ(info.nr_pt_frames, plan.tables.count);
    EXPECT_EQ(info.mfn_list, u64{1} << 39);
    EXPECT_EQ(info.first_p2m_pfn, plan.p2m.first);
    EXPECT_EQ(info.nr_p2m_frames, 131u);
    EXPECT_STREQ(reinterpret_cast<const char*>(info.cmd_line), "a b");
    ASSERT_EQ(info.console.dom0.info_size, sizeof screen);
    EXPECT_EQ(page.bytes[info.console.dom0.info_off], screen.video_type);
}

TEST(PvStartInfo, OfAGuest) {
    const auto request = plain();
    const auto plan = plan_pv_start(request).value();
    Page page;
    ASSERT_TRUE(write_pv_start_info(
                    plan, {.pages = request.pages, .ramdisk_size = request.ramdisk_size, .store = {11, 2}, .console = {12, 3}}, page.bytes)
                    .ok());
    const auto info = page.info();
    EXPECT_EQ(info.flags, abi::sif::virt_p2m_4tools);
    EXPECT_EQ(info.mod_start, plan.to_virtual(plan.ramdisk.first));
    EXPECT_EQ(info.store_mfn, 11u);
    EXPECT_EQ(info.store_evtchn, 2u);
    EXPECT_EQ(info.console.domU.mfn, 12u);
    EXPECT_EQ(info.console.domU.evtchn, 3u);
    EXPECT_EQ(info.mfn_list, plan.to_virtual(plan.p2m.first));
    EXPECT_EQ(info.first_p2m_pfn | info.nr_p2m_frames, 0u);
}

TEST(PvStartInfo, TheCommandLineHasALongest) {
    const auto plan = plan_pv_start(plain()).value();
    Page page;
    const std::string line(1024, 'x');
    EXPECT_EQ(write_pv_start_info(plan, {.command_line = line}, page.bytes).error(), LoadError::pv_command_line_too_long);
    EXPECT_TRUE(write_pv_start_info(plan, {.command_line = std::string_view(line).substr(1)}, page.bytes).ok());
    EXPECT_EQ(page.info().cmd_line[1023], 0);
}

TEST(PvStartInfo, FirstRegisters) {
    const auto plan = plan_pv_start(linux_like()).value();
    auto context = std::make_unique<abi::x86::VcpuGuestContext>();
    fill_pv_context(plan, 0x77, *context);
    EXPECT_EQ(context->user_regs.rip, plan.entry);
    EXPECT_EQ(context->user_regs.rsi, plan.to_virtual(plan.start_info));
    EXPECT_EQ(context->user_regs.rsp, plan.to_virtual(plan.stack) + page_size);
    EXPECT_EQ(context->user_regs.cs, 0xe033);
    EXPECT_EQ(context->user_regs.ss, 0xe02b);
    EXPECT_EQ(context->ctrlreg[3], 0x77000u);
    EXPECT_EQ(context->flags, abi::x86::vgcf::in_kernel | abi::x86::vgcf::online);
}

TEST(PvNotes, SayWhyAKernelCantBePv) {
    using enum abi::ElfNote;
    const auto with = [](const Notes& more) {
        ElfBuilder<Elf64> builder;
        builder.load(0x1000000, sample_bytes(16), 0x2000).notes_segment(Notes{more}.text(xen_version, "xen-3.0").text(loader, "generic"));
        builder.header.e_entry = 0x1000000;
        return builder.build();
    };
    const auto hvm_only = with(Notes{}.text(features, "!auto_translated_physmap"));
    EXPECT_EQ(KernelImage::parse(hvm_only).value().pv().error(), LoadError::pv_requires_hvm);
    const auto guest_only = with(Notes{}.number(supported_features, u32{1}));
    const auto image = KernelImage::parse(guest_only).value();
    EXPECT_TRUE(image.pv().ok());
    EXPECT_EQ(image.notes().require_pv_dom0().error(), LoadError::pv_not_dom0);
    const auto dom0 = with(Notes{}.number(supported_features, u32{1u << 11}));
    EXPECT_TRUE(KernelImage::parse(dom0).value().notes().require_pv_dom0().ok());
    const auto silent = with(Notes{});
    EXPECT_TRUE(KernelImage::parse(silent).value().notes().require_pv_dom0().ok());

    ElfBuilder<Elf32> narrow;
    narrow.load(0x100000, sample_bytes(16), 0x2000)
        .notes_segment(Notes{}.text(xen_version, "xen-3.0").text(guest_os, "linux").text(pae_mode, "yes"));
    const auto file = narrow.build();
    EXPECT_EQ(KernelImage::parse(file).value().pv().error(), LoadError::pv_32bit);
    EXPECT_NE(describe(LoadError::pv_32bit).find("32-bit PV"), std::string_view::npos);
}

}  // namespace
}  // namespace px::loader::test
