// HYPERVISOR_domctl: domains come, and are described. [xen/public domctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/domctl.hpp"
#include "arch/time.hpp"
#include "hypervisor/domain/default_limits.hpp"
#include "hypervisor/hypercall/domctl.hpp"

namespace px::domctl {
namespace {

/// Negative: what the host gives by default.
u32 limit_or(i32 wanted, u32 fallback) { return wanted < 0 ? fallback : static_cast<u32>(wanted); }

/// Errors: einval for what no domain can be, or what this host hasn't got.
Result<DomainSettings> settings_from(const abi::DomctlCreatedomain& request) {
    namespace cdf = abi::cdf;
    constexpr u32 absent = cdf::iommu | cdf::nested_virt | cdf::vpmu;
    constexpr u32 known = cdf::hvm | cdf::hap | cdf::s3_integrity | cdf::oos_off | cdf::xs_domain | absent;
    REQUIRE((request.flags & ~known) == 0, einval);
    REQUIRE((request.flags & absent) == 0 && request.iommu_opts == 0 && request.vmtrace_size == 0, einval);
    REQUIRE((request.grant_opts & ~abi::domctl_grant_version_mask) == 0 && request.cpupool_id == 0, einval);
    REQUIRE((request.flags & cdf::hap) == 0 || (request.flags & cdf::hvm) != 0, einval);
    DomainSettings settings;
    std::copy_n(request.handle, settings.handle.size(), settings.handle.begin());
    settings.max_vcpus = request.max_vcpus;
    settings.max_event_port = std::min<u32>(request.max_evtchn_port, 0x7fff'ffff);
    settings.max_grant_frames = limit_or(request.max_grant_frames, default_limits.grant_frames);
    settings.max_maptrack_frames = limit_or(request.max_maptrack_frames, default_limits.maptrack_frames);
    settings.max_grant_version = static_cast<u8>(request.grant_opts);
    settings.hvm = (request.flags & cdf::hvm) != 0;
    settings.hap = (request.flags & cdf::hap) != 0;
    TRY(arch::configure(request, settings));
    return settings;
}

u32 flags_of(const Domain& domain) {
    using namespace abi::dominf;
    u32 flags = u32{domain.shutdown_code()} << shutdownshift;
    if (domain.is_relinquished()) flags |= dying;
    if (domain.is_shut_down()) flags |= shutdown;
    if (domain.is_paused_by_controller()) flags |= paused;
    if (domain.debugger_attached) flags |= debugged;
    if (domain.runs_xenstore) flags |= xs_domain;
    if (domain.settings.hvm) flags |= hvm_guest;
    if (domain.settings.hap) flags |= hap;
    return flags;
}

}  // namespace

Result<Reply> create(Vcpu&, abi::Domctl& op) {
    const DomainSettings settings = TRY(settings_from(op.u.createdomain));
    DomId id{op.domain};
    if (id.raw == 0 || id >= domid_first_reserved) id = TRY(free_domain_id());
    const DomainRef domain = TRY(Domain::create(id, settings));
    domain->runs_xenstore = (op.u.createdomain.flags & abi::cdf::xs_domain) != 0;
    op.domain = id.raw;
    return Reply{};
}

abi::DomctlGetdomaininfo info_of(Domain& domain) {
    abi::DomctlGetdomaininfo info{};
    info.domain = domain.id.raw;
    info.max_vcpu_id = abi::invalid_max_vcpu_id;
    u32 states = abi::dominf::blocked;
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        Vcpu* const vcpu = domain.vcpu(VcpuId{i});
        if (vcpu == nullptr) continue;
        info.cpu_time += vcpu->runstate.snapshot(arch::now()).time[static_cast<usize>(abi::Runstate::running)];
        info.max_vcpu_id = i;
        if (vcpu->is_halted(Vcpu::down)) continue;
        if (!vcpu->is_halted(Vcpu::blocked) && !vcpu->is_halted(Vcpu::polling)) states &= ~abi::dominf::blocked;
        if (vcpu->unit.on_cpu()) states |= abi::dominf::running;
        ++info.nr_online_vcpus;
    }
    info.flags = flags_of(domain) | (info.nr_online_vcpus != 0 ? states : 0);
    info.tot_pages = domain.memory.frames();
    info.max_pages = domain.memory.max_frames();
    info.outstanding_pages = domain.memory.claim();
    info.shared_info_frame = domain.physmap.is_translated() ? domain.shared_info_gfn.raw : domain.shared_info_mfn().raw;
    std::ranges::copy(domain.handle, info.handle);
    arch::describe(domain, info);
    return info;
}

}  // namespace px::domctl
