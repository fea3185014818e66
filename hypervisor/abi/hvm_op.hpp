// Calls on HVM and PVH domains [xen/public hvm/hvm_op.h]. Alternate views (altp2m) are not described yet.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class HvmOp : u32 {
    set_param = 0,
    get_param = 1,
    flush_tlbs = 5,
    pagetable_dying = 9,
    get_time = 10,
    xentrace = 11,
    set_mem_access = 12,
    get_mem_access = 13,
    get_mem_type = 15,
    set_evtchn_upcall_vector = 23,
    guest_request_vm_event = 24,
    altp2m = 25,
};

struct HvmParamArg {
    u16 domid;
    u16 pad;
    u32 index;  ///< HvmParam
    u64 value;
};

enum class HvmMemType : u16 { ram_rw, ram_ro, mmio_dm, unused, ioreq_server };

struct HvmPagetableDying {
    u16 domid;
    u16 pad[3];
    u64 gpa;  ///< of the top-level table
};

struct HvmGetTime {
    u64 now;
};  ///< OUT, ns

struct HvmGetMemType {
    u16 domid;
    u16 mem_type;  ///< OUT: HvmMemType
    u16 pad[2];
    u64 pfn;
};

struct HvmEvtchnUpcallVector {
    u32 vcpu;
    u8 vector;  ///< 0: back to the callback_irq parameter
};

}  // namespace px::abi
