// Fuzzes the way of a kernel's file into a guest: payload, unpacking, ELF, notes, segments, start of day.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <vector>

#include "boot/loader/kernel_image.hpp"
#include "boot/loader/payload.hpp"
#include "boot/loader/pv_start_info.hpp"
#include "boot/loader/pv_tables.hpp"
#include "boot/loader/start_of_day.hpp"

namespace px::loader {
namespace {

constexpr usize output_limit = 1 << 20;

void must(bool condition) {
    if (!condition) std::abort();
}

/// Guest memory that only checks that what is asked for is what the image said.
struct CheckedMemory {
    Extent extent;
    Loaded<> write(Gpaddr address, std::span<const u8> bytes) {
        u64 sum = 0;
        for (const u8 byte : bytes) sum += byte;  // the sanitizer sees a read outside of the file
        must(sum <= bytes.size() * 255 && extent.contains(Extent{address.raw, address.raw + bytes.size()}));
        return {};
    }
    Loaded<> zero(Gpaddr address, u64 size) {
        must(extent.contains(Extent{address.raw, address.raw + size}));
        return {};
    }
};

void plan_for(const KernelImage& image, std::span<const u8> file) {
    const abi::HvmMemmapTableEntry map[] = {{0, 0xa0000, 1, 0}, {0x100000, 0x3ff00000, 1, 0}, {0x40000000, 0x1000, 2, 0}};
    const StartModule modules[] = {{file.size(), "ramdisk"}};
    const StartOfDayRequest request{.memory_map = map, .kernel = image.extent(), .command_line = "x", .modules = modules};
    const auto plan = plan_start_of_day(request);
    if (!plan.ok()) return;
    must(!plan.value().tables.overlaps(image.extent()) && !plan.value().modules[0].overlaps(image.extent()));
    std::vector<u8> tables(plan.value().tables.size());
    must(serialise(request, plan.value(), tables).ok());
}

/// Everything has a place of its own within the domain, and tables name only its frames.
void plan_pv_for(const PvImage& pv, std::span<const u8> file, const KernelNotes& notes) {
    constexpr u64 pages = 8192;
    must(pv.kernel.contains(pv.entry));
    const auto plan =
        plan_pv_start({.image = pv, .pages = pages, .ramdisk_size = file.size(), .ramdisk_by_pfn = notes.mod_start_pfn, .has_rings = true});
    if (!plan.ok()) return;
    must(plan->used() <= pages);
    std::array<u64, 512> table;
    must(for_each_pv_table(*plan, [&](u64 pfn, const TableRun& run, u64 index) -> Loaded<> {
             must(plan->tables.contains(pfn) || plan->p2m_tables.contains(pfn));
             fill_pv_table(
                 *plan, run.level, index,
                 [](u64 named) {
                     must(named < pages);
                     return named;
                 },
                 table);
             return {};
         }).ok());
    std::array<u8, page_size> page;
    must(write_pv_start_info(*plan, {.pages = pages, .ramdisk_size = file.size()}, page).ok());
}

Loaded<> run(std::span<const u8> file) {
    const auto payload = TRY(find_payload(file));
    std::vector<u8> output(std::min(payload.unpacked_size.value_or(output_limit), output_limit));
    std::vector<u8> memory(scratch_size(payload.format, output.size()));
    Arena scratch{memory};
    const auto elf = TRY(unpack(payload, output, scratch));
    const auto image = TRY(KernelImage::parse(elf));
    if (const auto entry = image.pvh_entry(); entry.ok()) must(image.extent().contains(u64{entry.value()}));
    if (const auto pv = image.pv(); pv.ok()) plan_pv_for(*pv, file, image.notes());
    CheckedMemory destination{image.extent()};
    TRY(load(image, destination));
    plan_for(image, file);
    return {};
}

}  // namespace
}  // namespace px::loader

extern "C" int LLVMFuzzerTestOneInput(const px::u8* data, px::usize size) {
    const auto result = px::loader::run({data, size});
    if (!result.ok() && px::loader::describe(result.error()) == "unknown error") std::abort();
    return 0;
}
