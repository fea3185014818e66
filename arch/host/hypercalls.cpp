// The build host as an architecture: its part of the generic hypercalls, and the table.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/hypercalls.hpp"

#include <map>

#include "arch/host/frame_numbers.hpp"
#include "hypervisor/abi/features.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {

const HypercallTable& hypercall_table(const Vcpu&) {
    static constinit const HypercallTable table = generic_hypercalls();
    return table;
}

namespace arch {
namespace {
std::map<u64, u64> frame_numbers;
}

const u64 hypervisor_virtual_start = 0xffff'8000'0000'0000;

std::string_view capabilities() { return "host-1.0 "; }
u32 features(const Domain&) { return 1u << static_cast<u32>(abi::Feature::hvm_safe_pvclock); }

Result<Progress> initialise_vcpu(Vcpu& vcpu, u64 argument) {
    vcpu.arch.context = TRY(guest_ptr<u64>(argument).read());
    vcpu.arch.initialised = true;
    return Progress::done;
}
u64 vm_assists(const Domain&) { return u64{1} << static_cast<u32>(abi::VmassistType::runstate_update_flag); }
bool is_initialised(const Vcpu& vcpu) { return vcpu.arch.initialised; }
void send_nmi(Vcpu& vcpu) { vcpu.arch.nmis.fetch_add(1); }
void set_frame_number(Mfn mfn, u64 number) { frame_numbers[mfn.raw] = number; }
u64 host_frame_number(Mfn mfn) { return frame_numbers[mfn.raw]; }
Result<Reply> memory_op(Vcpu&, abi::MemoryOp, u64) { return Err{Errno::enosys}; }

}  // namespace arch
}  // namespace px
