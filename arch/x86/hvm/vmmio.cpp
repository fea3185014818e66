// The local APIC's page as emulated memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/vmmio.hpp"

#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

/// Every vCPU sees its own APIC at the same address; in x2APIC mode, or turned off, nothing is there.
class LocalApicPage final : public MmioHandler {
public:
    u64 read(Vcpu& vcpu, u64 offset, unsigned size) override {
        if (!vcpu.arch.apic.is_xapic()) return ~u64{0};
        // Registers are 32 bits wide at multiples of 16; narrower reads give a part of one.
        const u32 value = vcpu.arch.apic.read(static_cast<u32>(offset & ~u64{15}));
        return (offset & 15) + size <= 4 ? value >> ((offset & 3) * 8) : 0;
    }
    void write(Vcpu& vcpu, u64 offset, unsigned size, u64 value) override {
        if (vcpu.arch.apic.is_xapic() && size == 4 && (offset & 15) == 0) {
            vcpu.arch.apic.write(static_cast<u32>(offset), static_cast<u32>(value));
        }
    }
};

constinit LocalApicPage local_apic_page;

}  // namespace

Result<> add_local_apic_region(Domain& domain) { return domain.arch.mmio.add(VirtualLocalApic::default_base, page_size, local_apic_page); }

}  // namespace px::hvm
