// Building a PVH hardware domain: its memory is the machine's at the same addresses.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "arch/x86/dom0/boot_files.hpp"
#include "arch/x86/dom0/devices.hpp"
#include "arch/x86/dom0/dom0.hpp"
#include "arch/x86/dom0/memory_map.hpp"
#include "arch/x86/dom0/tables.hpp"
#include "arch/x86/dom0/unpack.hpp"
#include "arch/x86/hvm/startup.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "boot/loader/kernel_image.hpp"
#include "boot/loader/start_of_day.hpp"
#include "hypervisor/base/format.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/default_limits.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::dom0 {
namespace {

using loader::Extent;

constexpr u32 most_vcpus = 128;  ///< virtual local APIC ids end at 254
constexpr u32 most_event_ports = 131072;
constexpr u32 emulated_local_apic = 1u << 0, emulated_io_apic = 1u << 4, emulated_pci = 1u << 10;  // [xen/public XEN_X86_EMU_*]

/// dom0's memory is machine memory at the same address.
std::span<u8> memory_at(u64 start, u64 size) { return {static_cast<u8*>(arch::to_virtual(Paddr{start})), size}; }

struct OneToOne {
    loader::Loaded<> write(Gpaddr address, std::span<const u8> bytes) {
        std::memcpy(arch::to_virtual(Paddr{address.raw}), bytes.data(), bytes.size());
        return {};
    }
    loader::Loaded<> zero(Gpaddr address, u64 size) {
        std::memset(arch::to_virtual(Paddr{address.raw}), 0, size);
        return {};
    }
};

/// What stands in the way of the kernel at its own address.
[[noreturn]] void no_place_for_kernel(const MemoryMap& map, Extent kernel) {
    log_error("dom0's kernel must be at {:#x}-{:#x}, all of it memory of dom0's; but there is:", kernel.start, kernel.end);
    for (const MemoryRegion& region : map) {
        if (region.start >= kernel.end || region.end <= kernel.start) continue;
        const std::string_view what = region.kind == MemoryKind::usable     ? "memory of dom0"
                                      : region.kind == MemoryKind::unusable ? "memory beyond dom0_mem"
                                                                            : "memory of the firmware or of the hypervisor";
        log_error("  {:#x}-{:#x} {}", region.start, region.end, what);
    }
    panic("dom0's kernel can't be loaded: it isn't relocatable, and this machine's memory has a hole at its address");
}

class Builder {
public:
    Builder(const boot::BootInfo& info, const cmdline::BootOptions& options) : files_(info, options), options_(options) {}

    void build() {
        vcpus_ = vcpu_count(options_, most_vcpus);
        choose_memory();
        load_kernel();
        create_domain();
        write_start_of_day();
        map_memory();
        give_devices(*domain_);
        create_vcpus(*domain_, vcpus_, options_);
        files_.free();
        if (options_.dom0.verbose) print_layout();
        start();
    }

private:
    void choose_memory() {
        const arch::MemoryLayout& layout = arch::memory_layout();
        const Machine machine{layout.machine, layout.ours, layout.dom0_limit};
        if (!build_memory_map(machine, map_)) panic("the machine's memory map has too many ranges for dom0");
        // The tables' memory is dom0's, but not for its allocator.
        for (usize i = 0; arch::acpi_tables().list && i < arch::acpi_tables().list->size(); ++i) list_table(i);
        tables_size_ = align_up<u64>(tables_size(tables_spec()), page_size);
        const auto place = take_from_top(map_, tables_size_, MemoryKind::acpi);
        if (!place) panic("dom0 has no memory below 4 GiB: dom0_mem is too small");
        tables_at_ = *place;
    }

    /// Tables in memory that dom0 doesn't see, or that the kernel may overwrite, are none.
    void list_table(usize index) {
        const Paddr address = arch::acpi_tables().list->address(index);
        const auto signature = arch::acpi_tables().list->signature(index);
        if (!signature.ok()) return;
        for (const MemoryRegion& region : map_) {
            if (region.kind != MemoryKind::unusable || address.raw < region.start || address.raw >= region.end) continue;
            return log_warning("ACPI table {} at {:#x} lies in memory that isn't dom0's: hidden", signature->text(), address);
        }
        if (!listed_.push_back({*signature, address.raw})) log_warning("ACPI: more than {} tables", listed_.capacity());
    }

    TablesSpec tables_spec() const { return {listed_, arch::acpi_tables().topology, vcpus_}; }

    void load_kernel() {
        // Until it runs, all of dom0's memory is free to work in; its top is far from where kernels go.
        const MemoryRegion region = largest_low_region(map_);
        constexpr u64 enough = u64{2} << 30;
        const u64 start = region.end - std::min(region.end - region.start, enough);
        std::string_view version;
        const auto elf = unpack(start, region.end, &version);
        const auto image = loader::KernelImage::parse(elf);
        if (!image.ok()) panic("dom0's kernel can't be loaded: {}", describe(image.error()));
        const auto entry = image->pvh_entry();
        if (!entry.ok()) panic("dom0's kernel can't be started as PVH: {}", describe(entry.error()));
        entry_ = *entry;
        kernel_ = image->extent();
        check_place();
        const u64 elf_start = arch::to_physical(elf.data()).raw;
        if (kernel_.overlaps({elf_start, elf_start + elf.size()}))
            panic("dom0 has too little memory to unpack its kernel in: dom0_mem is too small");
        OneToOne memory;
        (void)loader::load(*image, memory).ok();
        log_info("dom0: kernel {} at {:#x}-{:#x}, entry {:#x}", version.empty() ? "(ELF)" : version, kernel_.start, kernel_.end, entry_);
    }

    /// Works at the top of [start, end): the more memory the kernel may need where the file doesn't tell, the lower it reaches.
    std::span<const u8> unpack(u64 start, u64 end, std::string_view* version) {
        const loader::Payload payload = files_.payload();
        if (payload.unpacked_size) {
            const u64 need = *payload.unpacked_size + loader::scratch_size(payload.format, *payload.unpacked_size) + (u64{1} << 20);
            start = std::max(start, end - std::min(end - start, align_up<u64>(need, page_size)));
        }
        const auto elf = unpack_kernel(files_.kernel(), memory_at(start, end - start), version);
        if (!elf.ok() && elf.error() == loader::LoadError::output_too_small) {
            panic("dom0 has too little memory below 4 GiB ({} MiB) to unpack its kernel in: dom0_mem is too small", (end - start) >> 20);
        }
        if (!elf.ok()) panic("dom0's kernel can't be unpacked: {}", describe(elf.error()));
        return *elf;
    }

    void check_place() {
        u64 at = kernel_.start;
        for (const MemoryRegion& region : map_) {
            if (region.kind == MemoryKind::usable && region.start <= at && region.end > at) at = region.end;
        }
        if (at < kernel_.end) no_place_for_kernel(map_, kernel_);
    }

    void create_domain() {
        DomainSettings settings;
        settings.max_vcpus = vcpus_;
        settings.max_event_port = most_event_ports - 1;
        settings.max_grant_frames = default_limits.grant_frames;
        settings.max_maptrack_frames = default_limits.maptrack_frames;
        settings.control = settings.hardware = settings.one_to_one = true;
        settings.arch.emulation_flags = emulated_local_apic | emulated_io_apic | emulated_pci;
        auto domain = Domain::create(DomId{0}, settings);
        if (!domain) panic("dom0 can't be created (error {})", domain.error());
        domain_ = domain->release();  // it lives as long as the machine
    }

    void write_start_of_day() {
        StaticVector<abi::HvmMemmapTableEntry, MemoryMap::capacity()>& memmap = memmap_;
        for (const MemoryRegion& region : map_) {
            (void)memmap.push_back({region.start, region.end - region.start, static_cast<u32>(region.kind), 0}).ok();
        }
        tell_memory_map();
        acpi::TableWriter writer(memory_at(tables_at_, tables_size_), Gpaddr{tables_at_});
        const auto rsdp = write_tables(writer, tables_spec());
        if (!rsdp) panic("dom0's ACPI tables can't be written (error {})", rsdp.error());

        const std::span<const u8> ramdisk_file = files_.ramdisk();
        const bool has_ramdisk = !ramdisk_file.empty();
        const loader::StartModule ramdisk{ramdisk_file.size()};
        const loader::StartOfDayRequest request{
            .memory_map = memmap,
            .kernel = kernel_,
            .command_line = command_line(),
            .modules = {&ramdisk, has_ramdisk ? 1u : 0u},
            .rsdp = rsdp->raw,
            .flags = abi::sif::privileged | abi::sif::initdomain,
        };
        const auto plan = loader::plan_start_of_day(request);
        if (!plan.ok()) panic("dom0's memory is too small: {}", describe(plan.error()));
        if (!loader::serialise(request, *plan, memory_at(plan->tables.start, plan->tables.size())).ok()) panic("dom0's start info");
        start_info_ = plan->start_info();
        if (!has_ramdisk) return;
        ramdisk_ = plan->modules[0];
        std::memcpy(arch::to_virtual(Paddr{ramdisk_.start}), ramdisk_file.data(), ramdisk_file.size());
    }

    /// The same for who asks by hypercall.
    void tell_memory_map() {
        auto entries = HeapArray<hvm::E820Entry>::create(map_.size());
        if (!entries) panic("no memory for dom0's memory map");
        for (usize i = 0; i < map_.size(); ++i) {
            (*entries)[i] = {map_[i].start, map_[i].end - map_[i].start, static_cast<u32>(map_[i].kind)};
        }
        *domain_->arch.e820.lock() = std::move(*entries);
    }

    std::string_view command_line() {
        // No IOMMU driver exists yet, so no device of dom0's can reach a page that it maps from another domain: that one isn't
        // at its own address. Linux copies through its own memory then.
        if (options_.dom0.bounce) {
            files_.add_word("swiotlb=force");
            log_info("dom0: no IOMMU is used: 'swiotlb=force' appended to its command line (dom0=no-bounce: not)");
        }
        log_info("dom0: command line: {}", files_.command_line());
        return files_.command_line();
    }

    void map_memory() {
        u64 frames = 0;
        for (const MemoryRegion& region : map_) {
            if (!is_ram(region)) continue;
            const u64 count = (region.end - region.start) >> page_shift;
            domain_->memory.adopt(Mfn{region.start >> page_shift}, count);
            frames += count;
            map_ram(region.start >> page_shift, count);
        }
        // It grows by frames that are free where it wants them, for its memory is 1:1. See docs/dom0-pvh.md.
        domain_->memory.set_max_frames(most_frames(options_, arch::memory_layout().ram_frames, frames));

        TrappedRanges trapped;
        if (!list_trapped(trapped)) panic("this machine has too many interrupt controllers or PCI segments");
        const auto mapped = for_each_device_range(arch::memory_layout().machine, trapped, machine_top(), [&](u64 start, u64 end) {
            const u64 frame = start >> page_shift;
            if (!domain_->physmap.add_mmio(Gfn{frame}, Mfn{frame}, (end - start) >> page_shift)) panic("no memory for dom0's physmap");
        });
        if (!mapped) panic("the machine's memory map has too many ranges for dom0");
    }

    /// The tables' memory is RAM as well.
    bool is_ram(const MemoryRegion& region) const { return region.kind == MemoryKind::usable || region.start == tables_at_; }

    void map_ram(u64 frame, u64 count) {
        while (count > 0) {
            unsigned order = max_order;
            while ((frame & ((u64{1} << order) - 1)) != 0 || count < u64{1} << order) order -= 9;
            if (!domain_->physmap.add_ram(Gfn{frame}, Mfn{frame}, order)) panic("no memory for dom0's physmap");
            frame += u64{1} << order;
            count -= u64{1} << order;
        }
    }

    void print_layout() const {
        log_info("dom0: start info {:#x}, ramdisk {:#x}-{:#x}, ACPI tables {:#x}, {} vCPUs", start_info_, ramdisk_.start, ramdisk_.end,
                 tables_at_, vcpus_);
        for (const MemoryRegion& region : map_) {
            constexpr std::string_view names[] = {"?", "usable", "reserved", "ACPI", "NVS", "unusable"};
            log_info("dom0: {:#012x}-{:#012x} {}", region.start, region.end, names[std::min(static_cast<u32>(region.kind), 5u) % 6]);
        }
    }

    void start() {
        Vcpu& first = *domain_->vcpu(VcpuId{0});
        hvm::set_pvh_entry(first, entry_, static_cast<u32>(start_info_.raw));
        first.arch.waits_for_startup = false;
        first.resume(Vcpu::down);
        log_info("dom0: {} MiB, {} vCPU{}, starts", domain_->memory.frames() >> 8, vcpus_, vcpus_ == 1 ? "" : "s");
        if (!domain_->unpause_by_controller()) panic("dom0 isn't paused");
    }

    BootFiles files_;
    const cmdline::BootOptions& options_;
    MemoryMap map_;
    StaticVector<abi::HvmMemmapTableEntry, MemoryMap::capacity()> memmap_;
    StaticVector<ListedTable, 120> listed_;
    u32 vcpus_ = 1;
    u64 tables_at_ = 0, tables_size_ = 0;
    Extent kernel_{}, ramdisk_{};
    u32 entry_ = 0;
    Gpaddr start_info_{};
    Domain* domain_ = nullptr;
};

}  // namespace

void create_pvh(const boot::BootInfo& info, const cmdline::BootOptions& options) {
    auto builder = make<Builder>(info, options);  // too large for a stack
    if (!builder) panic("no memory to build dom0");
    (*builder)->build();
}

}  // namespace px::dom0
