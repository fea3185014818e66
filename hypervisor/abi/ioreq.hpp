// I/O requests to a device model, in shared pages [xen/public hvm/ioreq.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class IoreqState : u8 { none = 0, ready = 1, inprocess = 2, resp_ready = 3 };
enum class IoreqType : u8 { pio = 0, copy = 1, pci_config = 2, timeoffset = 7, invalidate = 8 };
inline constexpr u8 ioreq_write = 0, ioreq_read = 1;

struct Ioreq {
    u64 addr;
    u64 data;   ///< or the guest physical address of it
    u32 count;  ///< of repetitions
    u32 size;   ///< bytes each
    u32 vp_eport;
    u16 pad0;
    u8 state : 4;  ///< IoreqState
    u8 data_is_ptr : 1;
    u8 dir : 1;  ///< ioreq_read, ioreq_write
    u8 df : 1;   ///< addresses go down
    u8 pad1 : 1;
    u8 type;  ///< IoreqType
};

/// The page of synchronous requests: one slot per vCPU, as many as fit.
struct SharedIopage {
    Ioreq vcpu_ioreq[1];
};

struct BufIoreq {
    u8 type;
    u8 pad : 1;
    u8 dir : 1;
    u8 size : 2;  ///< log2; 3: two slots
    u32 addr : 20;
    u32 data;
};
inline constexpr unsigned ioreq_buffer_slot_num = 511;

/// The page of posted writes. Pointers run freely; the slot is the pointer modulo ioreq_buffer_slot_num.
struct BufferedIopage {
    u32 read_pointer;
    u32 write_pointer;
    BufIoreq buf_ioreq[ioreq_buffer_slot_num];
};

/// I/O ports of the ACPI fixed hardware, by HvmParam::acpi_ioports_location.
namespace acpi_ports_v0 {
inline constexpr u16 pm1a_evt = 0x1f40, pm1a_cnt = 0x1f44, pm_tmr = 0x1f48, gpe0 = 0x1f68, gpe0_len = 8;
}
namespace acpi_ports_v1 {
inline constexpr u16 pm1a_evt = 0xb000, pm1a_cnt = 0xb004, pm_tmr = 0xb008, gpe0 = 0xafe0, gpe0_len = 4;
}

}  // namespace px::abi
