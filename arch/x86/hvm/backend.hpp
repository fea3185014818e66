// The neutral interface of hardware virtualization. AMD-V and VT-x stand behind it; nothing above knows which.
//
// The caller of the state accessors owns the vCPU: it is current on this CPU, or paused and off every CPU.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "arch/x86/hvm/vcpu_state.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/domain/vcpu.hpp"

namespace px::hvm {

class Backend {
public:
    virtual std::string_view name() const = 0;
    /// Turns virtualization on for this CPU, at its start. Errors: enodev with the reason logged, enomem.
    virtual Result<> enable_cpu() = 0;

    /// A vCPU in its state after RESET; its registers are set before it first runs. Errors: enomem.
    virtual Result<> create(Vcpu& vcpu) = 0;
    virtual void destroy(Vcpu& vcpu) = 0;
    /// State that stays on the CPU between entries (hidden segment state, syscall MSRs): loaded and saved at a switch.
    virtual void load(Vcpu& vcpu) = 0;
    virtual void save(Vcpu& vcpu) = 0;
    /// Enters the guest and handles its exits until a softirq is noted or the vCPU isn't runnable. Interrupts on before and after.
    virtual void run(Vcpu& vcpu) = 0;

    virtual SegmentRegister segment(const Vcpu& vcpu, Segment which) const = 0;
    virtual void set_segment(Vcpu& vcpu, Segment which, const SegmentRegister& value) = 0;
    virtual TableRegister gdtr(const Vcpu& vcpu) const = 0;
    virtual TableRegister idtr(const Vcpu& vcpu) const = 0;
    virtual void set_gdtr(Vcpu& vcpu, const TableRegister& value) = 0;
    virtual void set_idtr(Vcpu& vcpu, const TableRegister& value) = 0;
    /// Takes over VcpuState::control, PAT, TSC offset and MSRs after they were changed from outside of an exit.
    virtual void control_changed(Vcpu& vcpu) = 0;
    /// Reads the control registers into VcpuState::control, which an exit leaves out of date; see current_control().
    virtual void read_control(Vcpu& vcpu) = 0;
    /// Reads what the hardware holds into VcpuState (cr2, cr3, star … kernel_gs_base) where it isn't current there.
    virtual void synchronise(Vcpu& vcpu) = 0;
    /// Current privilege level 0…3.
    virtual unsigned privilege(const Vcpu& vcpu) const = 0;
    /// True where the guest has interrupts open: RFLAGS.IF and no shadow of STI or MOV SS.
    virtual bool interrupts_open(const Vcpu& vcpu) const = 0;

    /// What the CPU has read already of the instruction that exited, from RIP on; nothing where it doesn't tell.
    virtual std::span<const u8> fetched_bytes(const Vcpu&) const { return {}; }

    /// Guest accesses to an I/O port or MSR exit or not; ports and MSRs default to exit.
    virtual void intercept_msr(Vcpu& vcpu, u32 index, bool read, bool write) = 0;

    /// No CPU uses translations of this domain older than this call: they are flushed before its next entries.
    /// May wait for other CPUs to leave the guest.
    virtual void flush_physmap(Domain& domain) = 0;

    /// The instruction by which guests make hypercalls.
    virtual std::array<u8, 3> hypercall_instruction() const = 0;

protected:
    ~Backend() = default;
};

/// The back end of this machine; nullptr where there is none (PV only).
Backend* backend();

/// The guest's control registers as they are now. Few exits need them, so they are read when first asked for.
inline const ControlRegisters& current_control(Vcpu& vcpu) {
    if (!vcpu.arch.control_is_current) backend()->read_control(vcpu);
    return vcpu.arch.control;
}

}  // namespace px::hvm

namespace px::arch {
/// Chooses the back end on the boot CPU and enables it on each; see set_up_this_cpu(). Says in the log why not.
void enable_virtualization();
}  // namespace px::arch
