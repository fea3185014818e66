// x87, SSE, AVX state: owned by the guest that runs; the hypervisor never uses it. [amd/apm2 11.5]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/registers.hpp"

namespace px::arch {

/// Whether the CPU has XSAVE (else FXSAVE); and every component that the host has enabled.
bool has_xsave();
u64 host_xcr0();

inline void load_xcr0(u64 value) { asm volatile("xsetbv" ::"a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)), "c"(0)); }
inline u64 read_xcr0() {
    u32 low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return u64{high} << 32 | low;
}
/// `area`: 64-byte aligned, large enough for host_xcr0(); with all host components enabled in XCR0.
void save_extended_state(void* area);
void load_extended_state(const void* area);
/// Bytes of an area, uncompacted.
u32 extended_state_size();
/// What FXSAVE knows, from an image of it; the rest is as after RESET.
void set_legacy_state(void* area, const void* image);
/// An area in the state after RESET. Errors: enomem.
Result<void*> allocate_extended_state();
/// nullptr is allowed.
void free_extended_state(void* area);
/// The state after RESET.
void init_extended_state(void* area);

}  // namespace px::arch
