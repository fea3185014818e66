// The build host as an architecture: its part of the generic hypercalls, and the table.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/hypercalls.hpp"

#include "hypervisor/abi/features.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {

constinit const HypercallTable hypercall_table = [] {
    namespace number = abi::hypercall;
    HypercallTable table{};
    table[number::memory_op] = {hypercall_memory_op};
    table[number::set_timer_op] = {hypercall_set_timer_op};
    table[number::xen_version] = {hypercall_xen_version};
    table[number::console_io] = {hypercall_console_io};
    table[number::grant_table_op] = {hypercall_grant_table_op};
    table[number::vm_assist] = {hypercall_vm_assist};
    table[number::vcpu_op] = {hypercall_vcpu_op};
    table[number::sched_op] = {hypercall_sched_op};
    table[number::event_channel_op] = {hypercall_event_channel_op};
    table[number::sysctl] = {hypercall_sysctl};
    table[number::domctl] = {hypercall_domctl};
    table[number::multicall] = {hypercall_multicall};
    return table;
}();

namespace arch {

std::string_view capabilities() { return "host-1.0 "; }
u32 features(const Domain&) { return 1u << static_cast<u32>(abi::Feature::hvm_safe_pvclock); }

Result<> initialise_vcpu(Vcpu& vcpu, u64 argument) {
    vcpu.arch.context = TRY(guest_ptr<u64>(argument).read());
    vcpu.arch.initialised = true;
    return {};
}
bool is_initialised(const Vcpu& vcpu) { return vcpu.arch.initialised; }
void send_nmi(Vcpu& vcpu) { vcpu.arch.nmis.fetch_add(1); }
Result<Reply> memory_op(Vcpu&, abi::MemoryOp, u64) { return Err{Errno::enosys}; }

}  // namespace arch
}  // namespace px
