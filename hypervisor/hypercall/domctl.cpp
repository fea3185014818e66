// HYPERVISOR_domctl: the toolstack's calls on one domain. [xen/public domctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hypercall/domctl.hpp"

#include "arch/domctl.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/guest_bitmap.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px {
namespace domctl {
namespace {

using abi::DomctlCmd;

/// One operation at a time in the whole system. Whoever finds another one in progress executes the call again: a CPU that
/// waited here could be what the other one waits for.
constinit std::atomic<bool> busy{false};

class Turn {
public:
    Turn() : taken_(!busy.exchange(true, std::memory_order_acquire)) {}
    ~Turn() {
        if (taken_) busy.store(false, std::memory_order_release);
    }
    Turn(const Turn&) = delete;
    explicit operator bool() const { return taken_; }

private:
    bool taken_;
};

Result<Reply> destroy(Vcpu& caller, Domain& domain, abi::Domctl&) {
    REQUIRE(&domain != &caller.domain, einval);
    return domain.kill() == Progress::more ? run_again : Reply{};
}

Result<Reply> pause(Vcpu& caller, Domain& domain, abi::Domctl&) {
    REQUIRE(&domain != &caller.domain, einval);
    TRY(domain.pause_by_controller());
    return Reply{};
}

Result<Reply> unpause(Vcpu&, Domain& domain, abi::Domctl&) {
    TRY(domain.unpause_by_controller());
    return Reply{};
}

Result<Reply> resume(Vcpu& caller, Domain& domain, abi::Domctl&) {
    REQUIRE(&domain != &caller.domain, einval);
    (void)domain.resume().ok();  // one that isn't shut down runs already
    return Reply{};
}

Result<Reply> get_domain_info(Vcpu&, Domain& domain, abi::Domctl& op) {
    op.u.getdomaininfo = info_of(domain);
    op.domain = domain.id.raw;
    return Reply{};
}

Result<Reply> max_mem(Vcpu&, Domain& domain, abi::Domctl& op) {
    domain.memory.set_max_frames(std::min<u64>(op.u.max_mem.max_memkb >> (page_shift - 10), ~u32{0}));
    return Reply{};
}

Result<Reply> set_handle(Vcpu&, Domain& domain, abi::Domctl& op) {
    std::copy_n(op.u.setdomainhandle.handle, domain.handle.size(), domain.handle.begin());
    return Reply{};
}

Result<Reply> set_debugging(Vcpu& caller, Domain& domain, abi::Domctl& op) {
    REQUIRE(&domain != &caller.domain, einval);
    domain.debugger_attached = op.u.setdebugging.enable != 0;
    return Reply{};
}

Result<Reply> set_time_offset(Vcpu&, Domain& domain, abi::Domctl& op) {
    domain.time.offset_seconds = op.u.settimeoffset.time_offset_seconds;
    if (domain.shared_info() != nullptr) domain.time.publish_wall_clock(*static_cast<abi::SharedInfo*>(domain.shared_info()));
    return Reply{};
}

/// Nothing of the machine is the guests': taking away is done already, giving isn't supported.
Result<Reply> irq_permission(Vcpu&, Domain&, abi::Domctl& op) {
    REQUIRE(op.u.irq_permission.allow_access == 0, eopnotsupp);
    return Reply{};
}
Result<Reply> iomem_permission(Vcpu&, Domain&, abi::Domctl& op) {
    const auto& range = op.u.iomem_permission;
    REQUIRE(range.first_mfn + range.nr_mfns - 1 >= range.first_mfn, einval);
    REQUIRE(range.allow_access == 0, eopnotsupp);
    return Reply{};
}
Result<Reply> ioport_permission(Vcpu&, Domain&, abi::Domctl& op) {
    constexpr u32 ports = 65536;
    const auto& range = op.u.ioport_permission;
    REQUIRE(range.first_port < ports && range.nr_ports <= ports - range.first_port, einval);
    REQUIRE(range.allow_access == 0, eopnotsupp);
    return Reply{};
}

Result<Reply> set_virq_handler(Vcpu&, Domain& domain, abi::Domctl& op) {
    TRY(set_global_virq_handler(op.u.set_virq_handler.virq, DomainRef(domain)));
    return Reply{};
}

Result<Reply> set_target(Vcpu&, Domain& domain, abi::Domctl& op) {
    const DomainRef target = TRY(find_domain(DomId{op.u.set_target.target}));
    REQUIRE(target.get() != &domain && domain.target == domid_invalid, einval);
    domain.target = target->id;
    return Reply{};
}

Result<Reply> subscribe(Vcpu&, Domain& domain, abi::Domctl& op) {
    domain.suspend_port = EvtPort{op.u.subscribe.port};
    return Reply{};
}

Result<Reply> set_node_affinity(Vcpu&, Domain& domain, abi::Domctl& op) {
    TRY(domain.node_affinity.set(TRY(read_bitmap<max_nodes>(op.u.nodeaffinity.nodemap))));
    return Reply{};
}
Result<Reply> get_node_affinity(Vcpu&, Domain& domain, abi::Domctl& op) {
    TRY(write_bitmap(op.u.nodeaffinity.nodemap, domain.node_affinity.nodes()));
    return Reply{};
}

Result<Reply> get_page_frame_info(Vcpu&, Domain& domain, abi::Domctl& op) {
    constexpr u64 most_frames = 1024;
    REQUIRE(op.u.getpageframeinfo3.num <= most_frames, e2big);
    for (u64 i = 0; i < op.u.getpageframeinfo3.num; ++i) {
        const auto place = GuestPtr<u64>(op.u.getpageframeinfo3.array).at(i);
        const Gfn gfn{TRY(place.read())};
        TRY(place.write(arch::frame_info(domain, gfn)));
    }
    return Reply{};
}

Handler handler_of(DomctlCmd command) {
    switch (command) {
    case DomctlCmd::destroydomain: return destroy;
    case DomctlCmd::pausedomain: return pause;
    case DomctlCmd::unpausedomain: return unpause;
    case DomctlCmd::resumedomain: return resume;
    case DomctlCmd::getdomaininfo: return get_domain_info;
    case DomctlCmd::max_mem: return max_mem;
    case DomctlCmd::max_vcpus: return max_vcpus;
    case DomctlCmd::getvcpuinfo: return get_vcpu_info;
    case DomctlCmd::setvcpuaffinity: return set_vcpu_affinity;
    case DomctlCmd::getvcpuaffinity: return get_vcpu_affinity;
    case DomctlCmd::scheduler_op: return scheduler_op;
    case DomctlCmd::setdomainhandle: return set_handle;
    case DomctlCmd::setdebugging: return set_debugging;
    case DomctlCmd::settimeoffset: return set_time_offset;
    case DomctlCmd::irq_permission: return irq_permission;
    case DomctlCmd::iomem_permission: return iomem_permission;
    case DomctlCmd::ioport_permission: return ioport_permission;
    case DomctlCmd::set_virq_handler: return set_virq_handler;
    case DomctlCmd::set_target: return set_target;
    case DomctlCmd::subscribe: return subscribe;
    case DomctlCmd::setnodeaffinity: return set_node_affinity;
    case DomctlCmd::getnodeaffinity: return get_node_affinity;
    case DomctlCmd::getpageframeinfo3: return get_page_frame_info;
    default: return arch::domctl;
    }
}

/// getdomaininfo goes on to the next number in use, as lists are made so. Errors: esrch.
Result<DomainRef> find(const abi::Domctl& op) {
    const DomId id{op.domain};
    if (DomctlCmd{op.cmd} != DomctlCmd::getdomaininfo) return find_domain(id);
    REQUIRE(id < domid_first_reserved, einval);
    return first_domain_from(id);
}

Result<Reply> perform(Vcpu& caller, abi::Domctl& op) {
    if (DomctlCmd{op.cmd} == DomctlCmd::createdomain) {
        REQUIRE(caller.domain.settings.control, eperm);
        const Turn turn;
        return turn ? create(caller, op) : run_again;
    }
    const DomainRef domain = TRY(find(op));
    REQUIRE(caller.domain.settings.control, eperm);
    const Turn turn;
    return turn ? handler_of(DomctlCmd{op.cmd})(caller, *domain, op) : run_again;
}

}  // namespace

Result<Vcpu*> find_vcpu(Domain& domain, u32 number) {
    REQUIRE(number < domain.settings.max_vcpus, einval);
    Vcpu* const vcpu = domain.vcpu(VcpuId{number});
    REQUIRE(vcpu != nullptr, esrch);
    return vcpu;
}

}  // namespace domctl

/// args: (argument)
Result<Reply> hypercall_domctl(Vcpu& caller, HypercallArgs& args) {
    const auto pointer = guest_ptr<abi::Domctl>(args[0]);
    abi::Domctl op = TRY(pointer.read());
    REQUIRE(op.interface_version == abi::domctl_interface_version, eacces);
    const auto result = domctl::perform(caller, op);
    const bool denied = !result && (result.error() == Errno::eperm || result.error() == Errno::esrch);
    if (denied || (result && result->again())) return result;
    TRY(pointer.write(op));
    return result;
}

}  // namespace px
