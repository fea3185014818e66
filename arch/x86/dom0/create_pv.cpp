// Building a PV hardware domain: its memory is whatever frames are free, and its kernel writes its page tables by hypercalls.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "arch/hypercalls.hpp"
#include "arch/x86/dom0/boot_files.hpp"
#include "arch/x86/dom0/dom0.hpp"
#include "arch/x86/dom0/pv_devices.hpp"
#include "arch/x86/dom0/unpack.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/machine/screen.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/pv/machine/context.hpp"
#include "arch/x86/pv/use.hpp"
#include "boot/loader/pv_start_info.hpp"
#include "boot/loader/pv_tables.hpp"
#include "hypervisor/base/format.hpp"
#include "hypervisor/domain/default_limits.hpp"

namespace px::dom0 {
namespace {

using loader::PfnRange;

constexpr u32 most_vcpus = 128;
constexpr u32 most_event_ports = 131072;

/// A block of the hypervisor's for the time of the building.
class WorkMemory {
public:
    /// Panics where there is no such block.
    explicit WorkMemory(u64 bytes) {
        while (page_size << order_ < bytes) ++order_;
        const auto block = allocate_frames(order_);
        if (!block) panic("dom0's kernel needs {} MiB of memory to be unpacked in: there is no such block", bytes >> 20);
        first_ = *block;
    }
    ~WorkMemory() { free_frames(first_, order_); }
    WorkMemory(const WorkMemory&) = delete;
    std::span<u8> bytes() const { return {static_cast<u8*>(to_virtual(first_)), page_size << order_}; }

private:
    Mfn first_;
    unsigned order_ = 0;
};

/// The domain's frames by their pseudo-physical numbers.
class Frames {
public:
    /// Takes `count` frames for the domain, in blocks as large as there are. Errors: enomem.
    Result<> allocate(Domain& domain, u64 count) {
        mfns_ = TRY(HeapArray<Mfn>::create(count));
        unsigned order = max_order;
        for (u64 pfn = 0; pfn < count;) {
            while ((u64{1} << order) > count - pfn) --order;
            const auto block = domain.memory.allocate(order);
            if (!block && order == 0) return Err{block.error()};
            if (!block) {
                --order;
                continue;
            }
            for (u64 i = 0; i < u64{1} << order; ++i) mfns_[pfn + i] = *block + i;
            pfn += u64{1} << order;
        }
        return {};
    }
    u64 count() const { return mfns_.size(); }
    Mfn operator[](u64 pfn) const { return mfns_[pfn]; }
    u8* page(u64 pfn) const { return static_cast<u8*>(to_virtual(mfns_[pfn])); }

    /// Calls use(part of a page, offset) for each page that [start, start + size) touches; `start` in pseudo-physical bytes.
    template <class Use>
    void for_each_part(u64 start, u64 size, Use use) const {
        for (u64 done = 0; done < size;) {
            const u64 at = start + done, within = at % page_size;
            const u64 part = std::min(size - done, page_size - within);
            use(std::span<u8>(page(at >> page_shift) + within, part), done);
            done += part;
        }
    }
    void write(u64 start, std::span<const u8> bytes) const {
        for_each_part(start, bytes.size(), [&](std::span<u8> part, u64 done) { std::memcpy(part.data(), &bytes[done], part.size()); });
    }

private:
    HeapArray<Mfn> mfns_;
};

/// Where the ELF file's physical addresses are.
struct Destination {
    const Frames& frames;
    u64 paddr_offset;
    loader::Loaded<> write(Gpaddr address, std::span<const u8> bytes) {
        frames.write(address.raw - paddr_offset, bytes);
        return {};
    }
    loader::Loaded<> zero(Gpaddr address, u64 size) {
        frames.for_each_part(address.raw - paddr_offset, size, [](std::span<u8> part, u64) { std::memset(part.data(), 0, part.size()); });
        return {};
    }
};

class Builder {
public:
    Builder(const boot::BootInfo& info, const cmdline::BootOptions& options) : files_(info, options), options_(options) {}

    void build() {
        vcpus_ = vcpu_count(options_, most_vcpus);
        {
            const WorkMemory work(work_size(files_.payload()));
            load_kernel(work.bytes());
        }
        give_pv_devices(*domain_);
        create_vcpus(*domain_, vcpus_, options_);
        files_.free();
        start();
    }

private:
    /// What unpacks a kernel that doesn't tell its size.
    static constexpr u64 unknown_size = u64{256} << 20;

    static u64 work_size(const loader::Payload& payload) {
        if (payload.format == loader::Format::elf) return page_size;
        if (!payload.unpacked_size) return unknown_size;
        return *payload.unpacked_size + loader::scratch_size(payload.format, *payload.unpacked_size) + (u64{1} << 20);
    }

    void load_kernel(std::span<u8> work) {
        std::string_view version;
        const auto elf = unpack_kernel(files_.kernel(), work, &version);
        if (!elf.ok()) panic("dom0's kernel can't be unpacked: {}", describe(elf.error()));
        const auto image = loader::KernelImage::parse(*elf);
        if (!image.ok()) panic("dom0's kernel can't be loaded: {}", describe(image.error()));
        const auto pv = image->pv();
        if (!pv.ok()) panic("dom0's kernel can't be started as PV: {}", describe(pv.error()));
        if (const auto able = image->notes().require_pv_dom0(); !able.ok()) panic("dom0's kernel: {}", describe(able.error()));

        create_domain();
        plan(*pv, image->notes());
        Destination destination{frames_, pv->paddr_offset};
        (void)loader::load(*image, destination).ok();
        if (pv->hypercall_page) pv_kind()->write_hypercall_page(frames_.page((*pv->hypercall_page - pv->base) >> page_shift));
        frames_.write(plan_.ramdisk.first << page_shift, files_.ramdisk());
        write_list();
        write_tables();
        write_start_info();
        log_info("dom0: kernel {} at {:#x}-{:#x}, entry {:#x}", version.empty() ? "(ELF)" : version, pv->kernel.start, pv->kernel.end,
                 pv->entry);
    }

    void create_domain() {
        DomainSettings settings;
        settings.hvm = settings.hap = false;
        settings.max_vcpus = vcpus_;
        settings.max_event_port = most_event_ports - 1;
        settings.max_grant_frames = default_limits.grant_frames;
        settings.max_maptrack_frames = default_limits.maptrack_frames;
        settings.control = settings.hardware = true;
        settings.arch.emulation_flags = 0;
        auto domain = Domain::create(DomId{0}, settings);
        if (!domain) panic("dom0 can't be created (error {})", domain.error());
        domain_ = domain->release();  // it lives as long as the machine
        allocate_memory();
    }

    void allocate_memory() {
        const u64 ram = arch::memory_layout().ram_frames;
        const u64 wanted = share_of(options_, ram);
        // Whatever the machine's RAM is: not all of it is free, and guests' own tables come from the rest.
        const u64 free = memory_totals().free_frames, reserve = std::min<u64>(free / 16, (u64{64} << 20) >> page_shift);
        const u64 share = std::min(wanted, free - reserve);
        domain_->memory.set_max_frames(std::max(share, most_frames(options_, ram, share)));
        if (!frames_.allocate(*domain_, share)) panic("no memory for dom0");
    }

    void plan(const loader::PvImage& image, const loader::KernelNotes& notes) {
        const auto plan = loader::plan_pv_start({
            .image = image,
            .pages = frames_.count(),
            .ramdisk_size = files_.ramdisk().size(),
            .ramdisk_by_pfn = notes.mod_start_pfn,
            .has_rings = false,
        });
        if (!plan.ok()) panic("dom0's kernel can't be started with {} MiB: {}", frames_.count() >> 8, describe(plan.error()));
        plan_ = *plan;
    }

    /// The list of its frames, and the machine's list the other way round.
    void write_list() {
        for (u64 pfn = 0; pfn < frames_.count(); ++pfn) {
            const u64 mfn = frames_[pfn].raw;
            frames_.write((plan_.p2m.first << page_shift) + pfn * sizeof mfn, {reinterpret_cast<const u8*>(&mfn), sizeof mfn});
            arch::set_frame_number(frames_[pfn], pfn);
        }
    }

    void write_tables() {
        const auto mfn_of = [&](u64 pfn) { return frames_[pfn].raw; };
        (void)for_each_pv_table(plan_, [&](u64 pfn, const loader::TableRun& run, u64 index) -> loader::Loaded<> {
            const loader::TablePage page(reinterpret_cast<u64*>(frames_.page(pfn)), page_size / sizeof(u64));
            fill_pv_table(plan_, run.level, index, mfn_of, page);
            return {};
        }).ok();
    }

    void write_start_info() {
        log_info("dom0: command line: {}", files_.command_line());
        const auto screen = arch::screen_of_owner();
        const auto written = write_pv_start_info(plan_,
                                                 {
                                                     .pages = frames_.count(),
                                                     .shared_info = to_paddr(domain_->shared_info_mfn()).raw,
                                                     .flags = abi::sif::privileged | abi::sif::initdomain,
                                                     .ramdisk_size = files_.ramdisk().size(),
                                                     .command_line = files_.command_line(),
                                                     .screen = screen.ok() ? std::optional(*screen) : std::nullopt,
                                                 },
                                                 std::span<u8, page_size>(frames_.page(plan_.start_info), page_size));
        if (!written.ok()) panic("dom0: {}", describe(written.error()));
    }

    /// As long as it takes.
    template <class Operation>
    static void finish(const char* what, Operation operation) {
        for (;;) {
            const Result<Progress> result = operation();
            if (!result) panic("dom0's {} can't be used (error {})", what, result.error());
            if (*result == Progress::done) return;
        }
    }

    void start() {
        Vcpu& first = *domain_->vcpu(VcpuId{0});
        const Mfn root = frames_[plan_.tables.first];
        finish("page tables", [&] { return pv::pin(pv::state_of(first).memory, *domain_, root, pv::FrameType::l4); });
        auto context = make<abi::x86::VcpuGuestContext>();
        if (!context) panic("no memory to start dom0");
        fill_pv_context(plan_, root.raw, **context);
        finish("first registers", [&] { return pv::set_context(first, **context); });
        first.info().evtchn_upcall_mask = 1;  // until the kernel has told where events enter it
        first.resume(Vcpu::down);
        log_info("dom0: PV, {} MiB, {} vCPU{}, starts", domain_->memory.frames() >> 8, vcpus_, vcpus_ == 1 ? "" : "s");
        if (!domain_->unpause_by_controller()) panic("dom0 isn't paused");
    }

    BootFiles files_;
    const cmdline::BootOptions& options_;
    u32 vcpus_ = 1;
    Domain* domain_ = nullptr;
    Frames frames_;
    loader::PvStart plan_;
};

}  // namespace

void create_pv(const boot::BootInfo& info, const cmdline::BootOptions& options) {
    auto builder = make<Builder>(info, options);  // too large for a stack
    if (!builder) panic("no memory to build dom0");
    (*builder)->build();
}

}  // namespace px::dom0
