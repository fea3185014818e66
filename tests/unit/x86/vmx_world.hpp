// A vCPU under VT-x on the build host: its VMCS is a table of what was written.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/vmx/apic.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "tests/unit/x86/fake_machine.hpp"

namespace px::vmx {

/// What setup() gives.
inline Setup fake_setup;

class VmxWorld : public hvm::X86World {
protected:
    /// A CPU with these abilities.
    explicit VmxWorld(const Abilities& abilities) : domain_(make_domain(1)), vcpu_(*domain_.vcpu(VcpuId{0})) {
        fake_setup = {.abilities = abilities};
        fake_vmcs.clear();
        auto vmx = make<VcpuVmx>();
        EXPECT_TRUE(vmx.ok());
        vcpu_.arch.vmx = std::move(*vmx);
        vcpu_.arch.vmx->msr_bitmap = &msr_bitmap_;
        msr_bitmap_.bits.fill(0xff);
        EXPECT_TRUE(set_up_apic(vcpu_).ok());
        vcpu_.arch.registers.rflags = interrupt_flag;
        apic().write(arch::apic::spurious, 0x1ff);
        write(FieldNatural::guest_cr0, 0x80000031);
    }
    ~VmxWorld() override {
        vcpu_.arch.vmx.reset();
        if (domain_.arch.apic_access_page != nullptr) free_frames(to_mfn(arch::to_physical(domain_.arch.apic_access_page)), 0);
        domain_.arch.apic_access_page = nullptr;
    }
    hvm::VirtualLocalApic& apic() { return vcpu_.arch.apic; }
    void request(u8 vector, bool level = false) { apic().request(vector, level); }
    /// What the next entry injects; the exit behind it clears the field.
    u32 prepared() {
        owed_ = pass_apic_state(vcpu_);
        choose_event(vcpu_);
        set_tpr_threshold(vcpu_);
        const u32 event = read(Field32::entry_interruption);
        write(Field32::entry_interruption, 0);
        return event;
    }
    u32 windows() { return vcpu_.arch.vmx->primary_controls & (primary::interrupt_window | primary::nmi_window); }
    void block(u32 bits) { write(Field32::guest_interruptibility, bits); }

    static constexpr u64 interrupt_flag = 1u << 9;
    MsrBitmap msr_bitmap_{};
    Domain& domain_;
    Vcpu& vcpu_;
    OwedFlush owed_ = OwedFlush::none();
};

}  // namespace px::vmx
