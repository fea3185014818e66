// The builder of PVH domains.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/pvh.hpp"

#include "hypervisor/abi/x86/domain.hpp"
#include "toolstack/builder/guest_memory.hpp"
#include "toolstack/builder/populate.hpp"
#include "toolstack/builder/vcpu_state.hpp"
#include "toolstack/control/grants.hpp"
#include "toolstack/control/memory.hpp"

namespace px::builder {

using abi::HvmParam;
using call::Error;
using call::Outcome;
using control::Domain;

namespace {

Err<Error> does_not_fit(loader::LoadError error, const GuestSpec& spec) {
    return Err{Error{ENOMEM, std::string(loader::describe(error)) + " (memory is " + std::to_string(spec.memory_kib / 1024) + " MiB)"}};
}

bool not_supported(const Error& error) { return error.code == EOPNOTSUPP || error.code == ENOSYS; }

/// Maps the low 4 GiB to themselves by pages of 4 MiB.
std::vector<u8> identity_map() {
    constexpr u32 present_rw_user_accessed_dirty_large = 0xe7;
    std::vector<u8> page(page_size);
    for (u32 i = 0; i < 1024; ++i) {
        const u32 entry = i << 22 | present_rw_user_accessed_dirty_large;
        std::memcpy(page.data() + 4 * i, &entry, sizeof entry);
    }
    return page;
}

}  // namespace

Outcome<PvhPlan> PvhPlan::prepare(GuestSpec spec) {
    Kernel kernel = TRY(Kernel::open(spec.kernel));
    PvhPlan plan(std::move(spec), std::move(kernel));
    if (!plan.spec_.ramdisk.empty()) plan.ramdisk_ = TRY(read_ramdisk(plan.spec_.ramdisk));
    TRY(plan.find_places());
    return plan;
}

loader::StartOfDayRequest PvhPlan::start_of_day_request() const {
    return {.memory_map = layout_.map,
            .kernel = kernel_.image().extent(),
            .command_line = spec_.command_line,
            .modules = modules_,
            .rsdp = acpi_.rsdp.raw,
            .flags = 0};
}

Outcome<> PvhPlan::find_places() {
    acpi_ = write_acpi_tables(spec_.max_vcpus);
    layout_ = plan_layout(spec_.memory_kib * 1024, acpi_.bytes.size());
    if (!ramdisk_.empty()) modules_.push_back({.size = ramdisk_.size()});
    const auto plan = loader::plan_start_of_day(start_of_day_request());
    if (!plan.ok()) return does_not_fit(plan.error(), spec_);
    start_of_day_ = *plan;
    return {};
}

Outcome<BuiltDomain> PvhPlan::build(call::Privcmd& privcmd, const Placement& place) const {
    TRY(check_machine(privcmd, abi::physcap::hvm, spec_.memory_kib + paging_kib()));
    BuiltDomain built{.id = {}, .console_port = {}, .store_port = {}, .console = console_frame, .store = store_frame};
    built.id = TRY(create_empty(privcmd, spec_, abi::cdf::hvm | abi::cdf::hap | abi::cdf::oos_off, abi::x86::emu::lapic));
    Domain domain(privcmd, built.id);
    const auto fill = [&]() -> Outcome<> {
        TRY(set_up(domain, place));
        TRY(give_memory(domain));
        TRY(load(domain));
        TRY(connect(domain, built));
        return set_vcpus(domain);
    };
    const auto done = fill();
    if (done.ok()) return built;
    static_cast<void>(domain.destroy().ok());  // the first error is the one to report
    return Err{done.error()};
}

/// Nested page tables: two frames for each MiB, and some for each vCPU, as libxl reckons.
u64 PvhPlan::paging_kib() const {
    if (spec_.paging_kib) return spec_.paging_kib;
    return 4 * (256 * u64{spec_.max_vcpus} + 2 * (std::max(spec_.memory_kib, spec_.max_memory_kib) / 1024));
}

Outcome<> PvhPlan::set_up(Domain domain, const Placement& place) const {
    auto pool = domain.set_paging_pool(paging_kib() * 1024);
    if (!pool.ok() && !not_supported(pool.error())) return pool;
    return set_common(domain, spec_, place);
}

Outcome<> PvhPlan::give_memory(Domain domain) const {
    const auto give = [&](std::span<const u64> starts, unsigned order) { return control::populate(domain, starts, order); };
    for (const Extent& range : layout_.ram) TRY(populate_range(range, give));
    TRY(populate_range({acpi_start.raw, align_up<u64>(acpi_start.raw + acpi_.bytes.size(), page_size)}, give));
    for (const Gfn frame : {store_frame, identity_map_frame, console_frame}) {
        TRY(populate_range({to_gpaddr(frame).raw, to_gpaddr(frame).raw + page_size}, give));
    }
    return control::set_memory_map(domain, layout_.map);
}

Outcome<> PvhPlan::load(Domain domain) const {
    GuestMemory memory(domain.privcmd(), domain.id());
    if (!loader::load(kernel_.image(), memory).ok()) return Err{memory.cause()};
    if (!ramdisk_.empty()) TRY(memory.copy_in(Gpaddr{start_of_day_.modules[0].start}, ramdisk_));
    std::vector<u8> tables(start_of_day_.tables.size());
    const auto size = loader::serialise(start_of_day_request(), start_of_day_, tables);
    if (!size.ok()) return does_not_fit(size.error(), spec_);
    TRY(memory.copy_in(Gpaddr{start_of_day_.tables.start}, tables));
    TRY(memory.copy_in(acpi_start, acpi_.bytes));
    TRY(memory.copy_in(to_gpaddr(identity_map_frame), identity_map()));
    const std::vector<u8> empty(page_size);
    TRY(memory.copy_in(to_gpaddr(store_frame), empty));
    return memory.copy_in(to_gpaddr(console_frame), empty);
}

/// Console and xenstore: a ring and an event channel each.
Outcome<> PvhPlan::connect(Domain domain, BuiltDomain& built) const {
    built.store_port = TRY(domain.allocate_port(dom0));
    built.console_port = TRY(domain.allocate_port(dom0));
    const std::pair<HvmParam, u64> parameters[] = {
        {HvmParam::timer_mode, spec_.timer_mode},           {HvmParam::store_pfn, store_frame.raw},
        {HvmParam::store_evtchn, built.store_port.raw},     {HvmParam::console_pfn, console_frame.raw},
        {HvmParam::console_evtchn, built.console_port.raw}, {HvmParam::ident_pt, to_gpaddr(identity_map_frame).raw},
    };
    for (auto [param, value] : parameters) TRY(domain.set_param(param, value));
    return control::seed_grants(domain, console_frame, store_frame, scratch_frame);
}

Outcome<> PvhPlan::set_vcpus(Domain domain) const {
    const std::vector<u8> context = TRY(domain.hvm_context());
    const Error malformed{EPROTO, "the hypervisor's vCPU state lacks what a PVH guest needs"};
    for (u32 vcpu = 0; vcpu < spec_.max_vcpus; ++vcpu) {
        const auto mtrr = mtrr_records(context, static_cast<u16>(vcpu));
        if (!mtrr) return Err{malformed};
        TRY(domain.set_hvm_context(*mtrr));
    }
    const auto start = start_records(context, kernel_.entry(), start_of_day_.start_info());
    if (!start) return Err{malformed};
    return domain.set_hvm_context(*start);
}

}  // namespace px::builder
