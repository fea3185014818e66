// Kexec and crash kernels [xen/public kexec.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/handle.hpp"

namespace px::abi {

enum class KexecCmd : u32 {
    kexec = 0,
    load_v1 = 1,
    unload_v1 = 2,
    get_range = 3,
    load = 4,
    unload = 5,
    status = 6,
};
enum class KexecType : u8 { default_image = 0, crash = 1 };
enum class KexecRangeId : i32 {
    crash = 0,
    xen = 1,
    cpu = 2,
    xenheap = 3,
    boot_param = 4,
    efi_memmap = 5,
    vmcoreinfo = 6,
};

struct KexecExec {
    i32 type;
};

struct KexecRange {
    i32 range;  ///< KexecRangeId
    i32 nr;     ///< cpu: which
    u64 size;   ///< OUT, bytes
    u64 start;  ///< OUT, machine address
};

struct KexecSegment {
    union {
        GuestHandle<const void> h;
        u64 pad;
    } buf;
    u64 buf_size;
    u64 dest_maddr;
    u64 dest_size;
};

struct KexecLoad {
    u8 type;  ///< KexecType
    u8 pad;
    u16 arch;  ///< ELF machine
    u32 nr_segments;
    union {
        GuestHandle<KexecSegment> h;
        u64 pad;
    } segments;
    u64 entry_maddr;
};

struct KexecUnload {
    u8 type;
};
struct KexecStatus {
    u8 type;
};

}  // namespace px::abi
