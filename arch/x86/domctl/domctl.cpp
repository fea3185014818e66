// x86's part of domctl. [xen/public domctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/domctl.hpp"

#include "arch/hypercalls.hpp"
#include "arch/x86/domctl/context_ops.hpp"
#include "arch/x86/domctl/policy_arrays.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "arch/x86/machine/clock.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/domctl.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {
namespace {

using abi::DomctlCmd;

Result<Reply> send_trigger(Vcpu&, Domain& domain, abi::Domctl& op) {
    Vcpu& vcpu = *TRY(domctl::find_vcpu(domain, op.u.sendtrigger.vcpu));
    REQUIRE(abi::SendTrigger{op.u.sendtrigger.trigger} == abi::SendTrigger::nmi, enosys);
    arch::send_nmi(vcpu);
    return Reply{};
}

Result<Reply> hypercall_init(Vcpu&, Domain& domain, abi::Domctl& op) {
    auto named = domain.physmap.get_frame(Gfn{op.u.hypercall_init.gmfn}, true);
    REQUIRE(named.ok(), eacces);
    const auto page = WritableFrame::take(std::move(*named));
    REQUIRE(page.ok(), eacces);
    kind_of(domain).write_hypercall_page(page->data());
    return Reply{};
}

Result<Reply> set_address_size(Vcpu&, Domain&, abi::Domctl& op) {
    REQUIRE(op.u.address_size.size == 64, einval);
    return Reply{};
}
Result<Reply> get_address_size(Vcpu&, Domain&, abi::Domctl& op) {
    op.u.address_size.size = 64;
    return Reply{};
}

// ---- Clock.

enum TscMode : u32 { by_default = 0, always_emulate = 1, never_emulate = 2 };

Result<Reply> set_tsc_info(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain && op.u.tsc_info.tsc_mode <= never_emulate, einval);
    domain.pause();
    domain.arch.tsc_mode = op.u.tsc_info.tsc_mode;
    domain.arch.tsc_native = op.u.tsc_info.tsc_mode != always_emulate;
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        Vcpu* const vcpu = domain.vcpu(VcpuId{i});
        if (vcpu == nullptr || !domain.settings.hvm) continue;
        backend()->synchronise(*vcpu);
        backend()->control_changed(*vcpu);
    }
    domain.unpause();
    return Reply{};
}
Result<Reply> get_tsc_info(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain, einval);
    op.u.tsc_info = {.tsc_mode = domain.arch.tsc_mode,
                     .gtsc_khz = static_cast<u32>(domain.arch.tsc_khz),
                     .incarnation = 0,
                     .pad = 0,
                     .elapsed_nsec = static_cast<u64>(arch::now().raw)};
    return Reply{};
}

// ---- Memory for page tables: it comes from the host's, so the pool is only a number that toolstacks want to see kept.

constexpr u64 bytes_per_mib = u64{1} << 20;

Result<Reply> set_paging_pool(Vcpu&, Domain& domain, abi::Domctl& op) {
    REQUIRE(op.u.paging_mempool.size % page_size == 0, einval);
    domain.arch.paging_pool = op.u.paging_mempool.size;
    return Reply{};
}
Result<Reply> get_paging_pool(Vcpu&, Domain& domain, abi::Domctl& op) {
    op.u.paging_mempool.size = domain.arch.paging_pool;
    return Reply{};
}

Result<Reply> shadow_op(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain, einval);
    switch (abi::ShadowOp{op.u.shadow_op.op}) {
    case abi::ShadowOp::get_allocation:
        op.u.shadow_op.mb = static_cast<u32>((domain.arch.paging_pool + bytes_per_mib - 1) / bytes_per_mib);
        return Reply{};
    case abi::ShadowOp::set_allocation: domain.arch.paging_pool = op.u.shadow_op.mb * bytes_per_mib; return Reply{};
    case abi::ShadowOp::off: return Reply{};  // nothing was on
    default: return Err{Errno::eopnotsupp};   // log-dirty tracking
    }
}

// ---- CPU policy.

Result<Reply> get_cpu_policy(Vcpu&, Domain& domain, abi::Domctl& op) {
    auto& request = op.u.cpu_policy;
    return write_policy(domain.arch.policy, request.leaves, request.nr_leaves, request.msrs, request.nr_msrs);
}

Result<Reply> set_cpu_policy(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    auto& request = op.u.cpu_policy;
    REQUIRE(&domain != &caller.domain, einval);
    REQUIRE(request.nr_leaves <= most_policy_leaves && request.nr_msrs <= most_policy_msrs, e2big);
    auto leaves = TRY(HeapArray<abi::x86::CpuidLeaf>::create(request.nr_leaves));
    TRY(GuestPtr<abi::x86::CpuidLeaf>(request.leaves).read_many(leaves.data(), leaves.size()));
    PolicyMsrs msrs;
    TRY(GuestPtr<abi::x86::MsrEntry>(request.msrs).read_many(msrs.data(), request.nr_msrs));
    PolicyRefusal refusal;
    const CpuPolicy maximum = kind_of(domain).maximum_policy();
    const auto changed = with_changes(domain.arch.policy, {leaves.data(), leaves.size()}, std::span(msrs).first(request.nr_msrs), refusal);
    const auto compatible = changed ? check_compatible(*changed, maximum, refusal) : Result<>{};
    request.err_leaf = refusal.leaf;
    request.err_subleaf = refusal.subleaf;
    request.err_msr = refusal.msr;
    TRY(changed);
    TRY(compatible);
    domain.pause();
    CpuPolicy chosen = *changed;
    clamp(chosen, maximum);
    domain.arch.set_policy(chosen);
    domain.unpause();
    return Reply{};
}

domctl::Handler handler_of(DomctlCmd command) {
    switch (command) {
    case DomctlCmd::sendtrigger: return send_trigger;
    case DomctlCmd::hypercall_init: return hypercall_init;
    case DomctlCmd::set_address_size: return set_address_size;
    case DomctlCmd::get_address_size: return get_address_size;
    case DomctlCmd::settscinfo: return set_tsc_info;
    case DomctlCmd::gettscinfo: return get_tsc_info;
    case DomctlCmd::set_paging_mempool_size: return set_paging_pool;
    case DomctlCmd::get_paging_mempool_size: return get_paging_pool;
    case DomctlCmd::shadow_op: return shadow_op;
    case DomctlCmd::get_cpu_policy: return get_cpu_policy;
    case DomctlCmd::set_cpu_policy: return set_cpu_policy;
    case DomctlCmd::gethvmcontext: return get_hvm_context;
    case DomctlCmd::sethvmcontext: return set_hvm_context;
    case DomctlCmd::gethvmcontext_partial: return get_hvm_context_partial;
    case DomctlCmd::getvcpucontext: return get_vcpu_context;
    case DomctlCmd::setvcpucontext: return set_vcpu_context;
    default: return nullptr;  // passthrough, introspection, state of PV vCPUs
    }
}

}  // namespace

Result<Reply> write_policy(const CpuPolicy& policy, abi::GuestHandle<abi::x86::CpuidLeaf> leaves, u32& nr_leaves,
                           abi::GuestHandle<abi::x86::MsrEntry> msrs, u32& nr_msrs) {
    if (leaves.is_null()) {
        nr_leaves = most_policy_leaves;
    } else {
        const PolicyLeaves array = to_leaves(policy);
        REQUIRE(array.size() <= nr_leaves, enobufs);
        TRY(GuestPtr<abi::x86::CpuidLeaf>(leaves).write_many(array.data(), array.size()));
        nr_leaves = static_cast<u32>(array.size());
    }
    if (msrs.is_null()) {
        nr_msrs = most_policy_msrs;
        return Reply{};
    }
    const PolicyMsrs array = to_msrs(policy);
    REQUIRE(array.size() <= nr_msrs, enobufs);
    TRY(GuestPtr<abi::x86::MsrEntry>(msrs).write_many(array.data(), array.size()));
    nr_msrs = most_policy_msrs;
    return Reply{};
}

}  // namespace px::hvm

namespace px::arch {

Result<> configure(const abi::DomctlCreatedomain& request, px::DomainSettings& settings) {
    namespace emu = abi::x86::emu;
    REQUIRE((request.arch.misc_flags & ~abi::x86::misc_flags_max) == 0 && (request.arch.emulation_flags & ~emu::all) == 0, einval);
    if (!settings.hvm) {
        REQUIRE(pv_kind() != nullptr, eopnotsupp);
        REQUIRE(request.arch.emulation_flags == 0, einval);
    } else {
        REQUIRE(settings.hap, eopnotsupp);                                // shadow paging comes later
        REQUIRE(request.arch.emulation_flags == emu::lapic, eopnotsupp);  // as do the PC's devices
    }
    settings.arch.emulation_flags = request.arch.emulation_flags;
    settings.arch.misc_flags = request.arch.misc_flags;
    return {};
}

void describe(Domain& domain, abi::DomctlGetdomaininfo& info) {
    info.gpaddr_bits = static_cast<u8>(domain.arch.policy.get(0x80000008).eax);
    info.arch_config = {domain.settings.arch.emulation_flags, domain.settings.arch.misc_flags};
}

u32 frame_info(Domain& domain, Gfn gfn) { return kind_of(domain).frame_info(domain, gfn); }

namespace {
/// Whether the ABI gives this number a meaning. [xen/public domctl.h]
constexpr bool is_assigned(u32 command) {
    constexpr u32 last = 86, gaps[] = {0, 6, 7, 8, 30, 31, 32, 41, 49, 51, 52, 53, 58, 70, 76, 80};
    return command <= last && std::ranges::find(gaps, command) == std::ranges::end(gaps);
}
}  // namespace

Result<Reply> domctl(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    const auto handler = hvm::handler_of(abi::DomctlCmd{op.cmd});
    REQUIRE(is_assigned(op.cmd), enosys);
    REQUIRE(handler != nullptr, eopnotsupp);
    return handler(caller, domain, op);
}

}  // namespace px::arch
