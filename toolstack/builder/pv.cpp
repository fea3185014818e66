// The builder of PV domains.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/pv.hpp"

#include <array>
#include <memory>

#include "boot/loader/pv_tables.hpp"
#include "hypervisor/abi/shared_info.hpp"
#include "toolstack/builder/layout.hpp"
#include "toolstack/builder/populate.hpp"
#include "toolstack/call/domain_info.hpp"
#include "toolstack/control/grants.hpp"
#include "toolstack/control/memory.hpp"

namespace px::builder {

using call::Error;
using call::Outcome;
using control::Domain;

namespace {

Err<Error> cannot_start(const std::string& kernel, loader::LoadError error, u64 memory_kib) {
    return Err{Error{EINVAL, "can't start the kernel " + kernel + " as PV: " + std::string(loader::describe(error)) + " (memory is " +
                                 std::to_string(memory_kib / 1024) + " MiB)"}};
}

}  // namespace

Outcome<PvPlan> PvPlan::prepare(GuestSpec spec) {
    Kernel kernel = TRY(Kernel::open_pv(spec.kernel));
    PvPlan plan(std::move(spec), std::move(kernel));
    if (!plan.spec_.ramdisk.empty()) plan.ramdisk_ = TRY(read_ramdisk(plan.spec_.ramdisk));
    const auto start = loader::plan_pv_start({
        .image = plan.kernel_.pv(),
        .pages = plan.pages(),
        .ramdisk_size = plan.ramdisk_.size(),
        .ramdisk_by_pfn = plan.kernel_.image().notes().mod_start_pfn,
        .has_rings = true,
    });
    if (!start.ok()) return cannot_start(plan.spec_.kernel, start.error(), plan.spec_.memory_kib);
    if (plan.spec_.command_line.size() >= abi::max_guest_cmdline) {
        return cannot_start(plan.spec_.kernel, loader::LoadError::pv_command_line_too_long, plan.spec_.memory_kib);
    }
    plan.start_ = *start;
    return plan;
}

Outcome<BuiltDomain> PvPlan::build(call::Privcmd& privcmd, const Placement& place) const {
    TRY(check_machine(privcmd, abi::physcap::pv, spec_.memory_kib));
    BuiltDomain built{};
    built.id = TRY(create_empty(privcmd, spec_, 0, 0));
    Domain domain(privcmd, built.id);
    const auto done = fill(domain, built, place);
    if (done.ok()) return built;
    static_cast<void>(domain.destroy().ok());  // the first error is the one to report
    return Err{done.error()};
}

Outcome<> PvPlan::fill(Domain domain, BuiltDomain& built, const Placement& place) const {
    TRY(set_common(domain, spec_, place));
    const Frames frames = TRY(give_memory(domain));
    TRY(load(domain, frames));
    TRY(connect(domain, frames, built));
    GuestMemory memory(domain.privcmd(), domain.id(), frames);
    TRY(write_start_info(domain, memory, built));
    TRY(write_tables(memory, frames));
    return start(domain, frames);
}

Outcome<PvPlan::Frames> PvPlan::give_memory(Domain domain) const {
    Frames frames(pages());
    const auto give = [&](std::span<const u64> starts, unsigned order) -> Outcome<usize> {
        std::vector<u64> list(starts.begin(), starts.end());
        const usize done = TRY(control::populate_pv(domain, list, order));
        for (usize i = 0; i < done; ++i) {
            for (u64 page = 0; page < u64{1} << order; ++page) frames[starts[i] + page] = list[i] + page;
        }
        return done;
    };
    TRY(populate_range({0, pages() << page_shift}, give));
    return frames;
}

Outcome<> PvPlan::load(Domain domain, const Frames& frames) const {
    const loader::PvImage& image = kernel_.pv();
    GuestMemory memory(domain.privcmd(), domain.id(), frames, image.paddr_offset);
    if (!loader::load(kernel_.image(), memory).ok()) return Err{memory.cause()};
    if (image.hypercall_page) TRY(domain.write_hypercall_page(frames[(*image.hypercall_page - image.base) >> page_shift]));
    if (!ramdisk_.empty()) TRY(memory.copy_in(Gpaddr{start_.ramdisk.first << page_shift}, ramdisk_));
    const auto list = std::as_bytes(std::span(frames));
    return memory.copy_in(Gpaddr{start_.p2m.first << page_shift}, {reinterpret_cast<const u8*>(list.data()), list.size()});
}

Outcome<> PvPlan::write_tables(GuestMemory& memory, const Frames& frames) const {
    const auto written = loader::for_each_pv_table(start_, [&](u64 pfn, const loader::TableRun& run, u64 index) -> loader::Loaded<> {
        std::array<u64, page_size / sizeof(u64)> table;
        loader::fill_pv_table(
            start_, run.level, index, [&](u64 named) { return frames[named]; }, table);
        return memory.write(Gpaddr{pfn << page_shift}, {reinterpret_cast<const u8*>(table.data()), page_size});
    });
    if (!written.ok()) return Err{memory.cause()};
    return {};
}

/// Console and xenstore: a ring and an event channel each.
Outcome<> PvPlan::connect(Domain domain, const Frames& frames, BuiltDomain& built) const {
    built.store_port = TRY(domain.allocate_port(dom0));
    built.console_port = TRY(domain.allocate_port(dom0));
    built.store = Gfn{frames[start_.store]};
    built.console = Gfn{frames[start_.console]};
    GuestMemory memory(domain.privcmd(), domain.id(), frames);
    const std::vector<u8> empty(page_size);
    TRY(memory.copy_in(Gpaddr{start_.store << page_shift}, empty));
    TRY(memory.copy_in(Gpaddr{start_.console << page_shift}, empty));
    return control::seed_grants(domain, built.console, built.store, scratch_frame);
}

Outcome<> PvPlan::write_start_info(Domain domain, GuestMemory& memory, const BuiltDomain& built) const {
    const auto info = TRY(call::domain_info(domain.privcmd(), domain.id()));
    if (!info) return Err{Error{ESRCH, "the domain has gone while it was being made"}};
    std::array<u8, page_size> page;
    const auto written = loader::write_pv_start_info(start_,
                                                     {
                                                         .pages = pages(),
                                                         .shared_info = info->shared_info_frame << page_shift,
                                                         .flags = 0,
                                                         .ramdisk_size = ramdisk_.size(),
                                                         .command_line = spec_.command_line,
                                                         .store = {built.store.raw, built.store_port.raw},
                                                         .console = {built.console.raw, built.console_port.raw},
                                                         .screen = {},
                                                     },
                                                     page);
    if (!written.ok()) return cannot_start(spec_.kernel, written.error(), spec_.memory_kib);
    TRY(memory.copy_in(Gpaddr{start_.start_info << page_shift}, page));

    // No events before the kernel says where they enter it.
    const Gfn shared{info->shared_info_frame};
    const call::Mapping mapping = TRY(domain.privcmd().map_foreign(domain.id(), std::span(&shared, 1)));
    for (abi::VcpuInfo& vcpu : mapping.as<abi::SharedInfo>()->vcpu_info) vcpu.evtchn_upcall_mask = 1;
    return {};
}

Outcome<> PvPlan::start(Domain domain, const Frames& frames) const {
    const u64 root = frames[start_.tables.first];
    TRY(control::pin_root(domain, root));
    const auto context = std::make_unique<abi::x86::VcpuGuestContext>();
    loader::fill_pv_context(start_, root, *context);
    return domain.set_vcpu_context(0, *context);
}

}  // namespace px::builder
