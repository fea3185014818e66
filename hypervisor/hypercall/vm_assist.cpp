// HYPERVISOR_vm_assist: conveniences that a guest turns on. [xen/public xen.h]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/hypercalls.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {

/// args: (command, type)
Result<Reply> hypercall_vm_assist(Vcpu& caller, HypercallArgs& args) {
    const u32 type = static_cast<u32>(args[1]);
    REQUIRE(type < 64 && (arch::vm_assists(caller.domain) >> type & 1) != 0, einval);
    switch (abi::VmassistCmd{static_cast<u32>(args[0])}) {
    case abi::VmassistCmd::enable: __atomic_fetch_or(&caller.domain.vm_assist, u64{1} << type, __ATOMIC_RELAXED); return Reply{};
    case abi::VmassistCmd::disable: __atomic_fetch_and(&caller.domain.vm_assist, ~(u64{1} << type), __ATOMIC_RELAXED); return Reply{};
    }
    return Err{Errno::enosys};
}

}  // namespace px
