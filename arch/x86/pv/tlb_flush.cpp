// TLB flushes that guests ask for.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/tlb_flush.hpp"

#include "arch/x86/pv/entry.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::pv {

CpuMask local_cpu() { return CpuMask::of(this_cpu().id); }

Result<CpuMask> cpus_of_bitmap(const Vcpu& caller, u64 bitmap) {
    const GuestPtr<u64> words(bitmap);
    CpuMask cpus;
    for (u32 base = 0; base < caller.domain.settings.max_vcpus; base += 64) {
        const u64 word = TRY(words.at(base / 64).read());
        for (u32 i = 0; i < 64 && base + i < caller.domain.settings.max_vcpus; ++i) {
            const Vcpu* const vcpu = (word >> i & 1) != 0 ? caller.domain.vcpu(VcpuId{base + i}) : nullptr;
            if (vcpu != nullptr) cpus = cpus | machine::cpus_of_vcpu(*vcpu);
        }
    }
    return cpus;
}

Result<TlbFlush> TlbFlush::from_flags(const Vcpu& caller, u64 flags, u64 linear) {
    const u64 type = flags & abi::uvmf::flushtype_mask, where = flags & ~abi::uvmf::flushtype_mask;
    if (type != abi::uvmf::tlb_flush && type != abi::uvmf::invlpg) return none();
    const CpuMask cpus = where == abi::uvmf::local ? local_cpu()
                         : where == abi::uvmf::all ? machine::cpus_of(caller.domain)
                                                   : TRY(cpus_of_bitmap(caller, where));
    return type == abi::uvmf::tlb_flush ? all(cpus) : page(cpus, linear);
}

void TlbFlush::settle() const {
    if (cpus_.empty()) return;
    if (extent_ == Extent::all) machine::flush_tlb(cpus_);
    if (extent_ == Extent::page && is_guest_address(linear_)) machine::flush_page(cpus_, linear_);
}

}  // namespace px::pv
