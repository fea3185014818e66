// The AMD-V back end.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/svm/features.hpp"
#include "arch/x86/svm/vcpu_svm.hpp"

namespace px::svm {

class Svm final : public hvm::Backend {
public:
    /// Whether this machine has AMD-V with nested paging, usable; says in the log why not.
    static bool probe();

    std::string_view name() const override { return "AMD-V"; }
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
    std::span<const u8> fetched_bytes(const Vcpu& vcpu) const override;
    void flush_physmap(Domain& domain) override;
    std::array<u8, 3> hypercall_instruction() const override { return {0x0f, 0x01, 0xd9}; }
};

/// Deals with the exit that the VMCB names; interrupts on. (exits.cpp)
void handle_exit(Vcpu& vcpu);
/// Puts the most urgent deliverable event into the VMCB, or asks for an exit when one becomes so. (inject.cpp)
void choose_event(Vcpu& vcpu);
/// An event whose delivery the exit interrupted (EXITINTINFO) is to be delivered again. (inject.cpp)
void repeat_event(Vcpu& vcpu, u64 info);
/// The virtual interrupt that the last entry offered wasn't taken: it is an event to be delivered again. (inject.cpp)
void withdraw_interrupt(Vcpu& vcpu);

}  // namespace px::svm
