// HYPERVISOR_hvm_op. [xen/public hvm/hvm_op.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/hvm_op.hpp"

#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "arch/x86/hvm/params.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {
namespace {

using abi::HvmOp;
using abi::HvmParam;

/// What was pending under the old way of signalling is signalled by the new one.
void signal_pending_upcalls(Domain& domain) {
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        Vcpu* const vcpu = domain.vcpu(VcpuId{i});
        if (vcpu != nullptr && !vcpu->is_halted(Vcpu::down) && vcpu->info().evtchn_upcall_pending != 0) arch::set_upcall(*vcpu);
    }
}

void write_param(Vcpu& caller, Domain& domain, u32 index, u64 value) {
    auto& params = domain.arch.params;
    const auto place = [&](HvmParam param) -> u64& { return params[static_cast<usize>(param)]; };
    switch (HvmParam{index}) {
    case HvmParam::callback_irq:
        params[index] = value;
        domain.arch.callback = decode_callback(value);
        return signal_pending_upcalls(domain);
    case HvmParam::dm_domain: params[index] = caller.domain.id.raw; return;
    case HvmParam::vm86_tss: place(HvmParam::vm86_tss_sized) = sized_vm86_tss(value); return;
    default: params[index] = value;
    }
}

Result<Reply> set_param(Vcpu& caller, u64 argument) {
    const auto op = TRY(guest_ptr<abi::HvmParamArg>(argument).read());
    REQUIRE(op.index < abi::hvm_nr_params, einval);
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    TRY(may_write_param(op.index, domain.get() == &caller.domain, domain->arch.params[op.index], op.value));
    TRY(check_param_value(op.index, op.value));
    write_param(caller, *domain, op.index, op.value);
    return Reply{};
}

u64 read_param(const Domain& domain, u32 index) {
    if (HvmParam{index} == HvmParam::vm86_tss) return static_cast<u32>(domain.arch.params[static_cast<usize>(HvmParam::vm86_tss_sized)]);
    return domain.arch.params[index];
}

Result<Reply> get_param(Vcpu& caller, u64 argument) {
    const auto pointer = guest_ptr<abi::HvmParamArg>(argument);
    const auto op = TRY(pointer.read());
    REQUIRE(op.index < abi::hvm_nr_params, einval);
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    TRY(may_read_param(op.index, domain.get() == &caller.domain));
    TRY(pointer.write_field(&abi::HvmParamArg::value, read_param(*domain, op.index)));
    return Reply{};
}

Result<Reply> flush_tlbs(Vcpu& caller, u64 argument) {
    REQUIRE(argument == 0, einval);
    backend()->flush_physmap(caller.domain);  // what it caches goes with the physmap's translations
    return Reply{};
}

/// Shadow paging would like to know; nested paging doesn't have shadows.
Result<Reply> pagetable_dying(Vcpu& caller, u64 argument) {
    const auto op = TRY(guest_ptr<abi::HvmPagetableDying>(argument).read());
    (void)TRY(find_controlled_domain(caller, DomId{op.domid}));
    return Err{Errno::einval};
}

Result<Reply> get_time(Vcpu&, u64 argument) {
    TRY(guest_ptr<abi::HvmGetTime>(argument).write({static_cast<u64>(arch::now().raw)}));
    return Reply{};
}

/// Nobody listens to guests' trace records: checked and dropped.
Result<Reply> xentrace(Vcpu&, u64 argument) {
    struct Record {
        u16 event, extra_bytes;
        u8 extra[28];
    };
    constexpr u16 most_event = 0xfff;
    const auto record = TRY(guest_ptr<Record>(argument).read());
    REQUIRE(record.extra_bytes <= sizeof record.extra && record.event <= most_event, einval);
    return Reply{};
}

abi::HvmMemType memory_type(GfnType type) {
    switch (type) {
    case GfnType::ram:
    case GfnType::log_dirty:
    case GfnType::populate_on_demand:
    case GfnType::foreign:
    case GfnType::grant_writable: return abi::HvmMemType::ram_rw;
    case GfnType::ram_read_only:
    case GfnType::grant_read_only: return abi::HvmMemType::ram_ro;
    case GfnType::ioreq_server: return abi::HvmMemType::ioreq_server;
    default: return abi::HvmMemType::mmio_dm;
    }
}

Result<Reply> get_mem_type(Vcpu& caller, u64 argument) {
    const auto pointer = guest_ptr<abi::HvmGetMemType>(argument);
    auto op = TRY(pointer.read());
    const DomainRef domain = TRY(find_controlled_domain(caller, DomId{op.domid}));
    op.mem_type = static_cast<u16>(memory_type(domain->physmap.lookup(Gfn{op.pfn}).type));
    TRY(pointer.write(op));
    return Reply{};
}

Result<Reply> set_evtchn_upcall_vector(Vcpu& caller, u64 argument) {
    const auto op = TRY(guest_ptr<abi::HvmEvtchnUpcallVector>(argument).read());
    REQUIRE(op.vector >= 0x10, einval);
    Vcpu* const vcpu = caller.domain.vcpu(VcpuId{op.vcpu});
    REQUIRE(vcpu != nullptr, enoent);
    vcpu->arch.upcall_vector = op.vector;
    if (vcpu->info().evtchn_upcall_pending != 0) arch::set_upcall(*vcpu);
    return Reply{};
}

/// A request to a monitor that isn't there.
Result<Reply> guest_request_vm_event(Vcpu&, u64 argument) {
    REQUIRE(argument == 0, einval);
    return Reply{};
}

Result<Reply> altp2m(Vcpu&, u64) { return Err{Errno::eopnotsupp}; }

using Handler = Result<Reply> (*)(Vcpu& caller, u64 argument);
constexpr auto table = [] {
    std::array<Handler, 26> entries{};
    const auto set = [&](HvmOp op, Handler handler) { entries[static_cast<usize>(op)] = handler; };
    set(HvmOp::set_param, set_param);
    set(HvmOp::get_param, get_param);
    set(HvmOp::flush_tlbs, flush_tlbs);
    set(HvmOp::pagetable_dying, pagetable_dying);
    set(HvmOp::get_time, get_time);
    set(HvmOp::xentrace, xentrace);
    set(HvmOp::get_mem_type, get_mem_type);
    set(HvmOp::set_evtchn_upcall_vector, set_evtchn_upcall_vector);
    set(HvmOp::guest_request_vm_event, guest_request_vm_event);
    set(HvmOp::altp2m, altp2m);
    return entries;
}();

}  // namespace

/// args: (operation, argument)
Result<Reply> hypercall_hvm_op(Vcpu& caller, HypercallArgs& args) {
    REQUIRE(args[0] < table.size() && table[args[0]] != nullptr, enosys);
    return table[args[0]](caller, args[1]);
}

}  // namespace px::hvm
