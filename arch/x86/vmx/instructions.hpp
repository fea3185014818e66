// The instructions of VT-x. [intel/sdm3 31]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/vmx/vmcs.hpp"

namespace px::vmx {

inline u64 vmread(u32 field) {
    u64 value;
    asm volatile("vmread %1, %0" : "=r"(value) : "r"(u64{field}) : "cc");
    return value;
}
inline void vmwrite(u32 field, u64 value) { asm volatile("vmwrite %1, %0" ::"r"(u64{field}), "r"(value) : "cc"); }

// Fields of the current VMCS.
inline u16 read(Field16 field) { return static_cast<u16>(vmread(static_cast<u32>(field))); }
inline u32 read(Field32 field) { return static_cast<u32>(vmread(static_cast<u32>(field))); }
inline u64 read(Field64 field) { return vmread(static_cast<u32>(field)); }
inline u64 read(FieldNatural field) { return vmread(static_cast<u32>(field)); }
inline void write(Field16 field, u16 value) { vmwrite(static_cast<u32>(field), value); }
inline void write(Field32 field, u32 value) { vmwrite(static_cast<u32>(field), value); }
inline void write(Field64 field, u64 value) { vmwrite(static_cast<u32>(field), value); }
inline void write(FieldNatural field, u64 value) { vmwrite(static_cast<u32>(field), value); }

/// CR2 isn't in the VMCS: it is the guest's while its vCPU is loaded, for the hypervisor takes no page faults.
inline u64 read_guest_cr2() { return arch::read_cr<2>(); }
inline void write_guest_cr2(u64 value) { arch::write_cr<2>(value); }

/// VMX operation begins; `region`: physical address of a page that begins with the revision. False: refused.
inline bool vmxon(u64 region) {
    bool refused;
    asm volatile("vmxon %1" : "=@ccna"(refused) : "m"(region) : "memory");
    return !refused;
}
/// Makes the VMCS at this physical address the current one; it isn't any other CPU's.
inline void vmptrld(u64 address) { asm volatile("vmptrld %0" ::"m"(address) : "cc", "memory"); }
/// The VMCS is written back, belongs to no CPU, and was not launched.
inline void vmclear(u64 address) { asm volatile("vmclear %0" ::"m"(address) : "cc", "memory"); }

/// OwedFlush::settle()'s io.
struct Invalidate {
    struct alignas(16) Descriptor {
        u64 low, high;
    };
    void invept(u64 type, u64 ept_pointer) const {
        const Descriptor descriptor{ept_pointer, 0};
        asm volatile("invept %0, %1" ::"m"(descriptor), "r"(type) : "cc", "memory");
    }
    void invvpid(u64 type, u16 vpid) const {
        const Descriptor descriptor{vpid, 0};
        asm volatile("invvpid %0, %1" ::"m"(descriptor), "r"(type) : "cc", "memory");
    }
};

}  // namespace px::vmx
