// A TLB flush that a guest asks for: what, and on which CPUs. Checked before it is done, and owed until it is.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine.hpp"
#include "hypervisor/base/result.hpp"

namespace px::pv {

class [[nodiscard]] TlbFlush {
public:
    static TlbFlush none() { return TlbFlush(Extent::nothing, {}, 0); }
    static TlbFlush all(const CpuMask& cpus) { return TlbFlush(Extent::all, cpus, 0); }
    static TlbFlush page(const CpuMask& cpus, u64 linear) { return TlbFlush(Extent::page, cpus, linear); }
    /// By the flags of update_va_mapping [xen/public xen.h UVMF]. Errors: efault (the bitmap of vCPUs can't be read).
    static Result<TlbFlush> from_flags(const Vcpu& caller, u64 flags, u64 linear);

    /// Waits until each CPU has done it. What is no guest's address is flushed nowhere.
    void settle() const;

private:
    enum class Extent : u8 { nothing, page, all };
    TlbFlush(Extent extent, const CpuMask& cpus, u64 linear) : extent_(extent), cpus_(cpus), linear_(linear) {}

    Extent extent_;
    CpuMask cpus_;
    u64 linear_;
};

/// This CPU.
CpuMask local_cpu();
/// CPUs that may hold translations of the caller's vCPUs in the guest's bitmap. Errors: efault.
Result<CpuMask> cpus_of_bitmap(const Vcpu& caller, u64 bitmap);

}  // namespace px::pv
