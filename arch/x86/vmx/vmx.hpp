// The VT-x back end.
//
// A vCPU's VMCS is current on the CPU that has switched the vCPU in, and is cleared at the switch out: then any CPU may
// take it, and the state accessors borrow it for a moment (BorrowedVmcs).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/vmx/capabilities.hpp"
#include "arch/x86/vmx/vcpu_vmx.hpp"

namespace px::vmx {

class Vmx final : public hvm::Backend {
public:
    /// Whether this machine has VT-x with EPT and unrestricted guest, usable; says in the log why not.
    static bool probe();

    std::string_view name() const override { return "VT-x"; }
    Result<> enable_cpu() override;
    Result<> create(Vcpu& vcpu) override;
    void destroy(Vcpu& vcpu) override;
    void load(Vcpu& vcpu) override;
    void save(Vcpu& vcpu) override;
    void run(Vcpu& vcpu) override;

    hvm::SegmentRegister segment(const Vcpu& vcpu, hvm::Segment which) const override;
    void set_segment(Vcpu& vcpu, hvm::Segment which, const hvm::SegmentRegister& value) override;
    hvm::TableRegister gdtr(const Vcpu& vcpu) const override;
    hvm::TableRegister idtr(const Vcpu& vcpu) const override;
    void set_gdtr(Vcpu& vcpu, const hvm::TableRegister& value) override;
    void set_idtr(Vcpu& vcpu, const hvm::TableRegister& value) override;
    void control_changed(Vcpu& vcpu) override;
    void read_control(Vcpu& vcpu) override;
    void synchronise(Vcpu& vcpu) override;
    unsigned privilege(const Vcpu& vcpu) const override;
    bool interrupts_open(const Vcpu& vcpu) const override;
    void intercept_msr(Vcpu& vcpu, u32 index, bool read, bool write) override;
    void flush_physmap(Domain& domain) override;
    std::array<u8, 3> hypercall_instruction() const override { return {0x0f, 0x01, 0xc1}; }
};

/// What the boot CPU negotiated; the same on all.
const Setup& setup();

/// The vCPU's VMCS is current while this lives. For callers that own the vCPU; nests.
class BorrowedVmcs {
public:
    explicit BorrowedVmcs(const Vcpu& vcpu);
    ~BorrowedVmcs();
    BorrowedVmcs(const BorrowedVmcs&) = delete;
    BorrowedVmcs& operator=(const BorrowedVmcs&) = delete;

private:
    u64 own_, former_;
};

/// Deals with the exit; interrupts on, the VMCS current. (exits.cpp)
void handle_exit(Vcpu& vcpu, u32 reason);
/// Puts the most urgent deliverable event into the VMCS, or asks for an exit when one becomes so. (inject.cpp)
void choose_event(Vcpu& vcpu);
/// An event whose delivery the exit interrupted (`info`: IDT-vectoring information) is to be delivered again. (inject.cpp)
void repeat_event(Vcpu& vcpu, u32 info);
/// First use of a debug register: from now on until the next switch they are the guest's. (state.cpp)
void give_debug_registers(Vcpu& vcpu);
/// The counterparts of load() and save() for what lives on the CPU while the vCPU is loaded. (state.cpp)
void load_state(Vcpu& vcpu);
void save_state(Vcpu& vcpu);
/// The guest's state after RESET and the control fields, in a new VMCS that is current. (state.cpp)
void set_up_vmcs(Vcpu& vcpu);

}  // namespace px::vmx
