// The emulator's view of the current PV vCPU: its registers, and memory by its own page tables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/emulate/emulator.hpp"
#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// Segments are flat but for the bases of FS and GS; of 32-bit code as well.
emulate::Registers registers_of(Vcpu& vcpu);
/// General registers, RIP and the arithmetic flags.
void take_registers(Vcpu& vcpu, const emulate::Registers& registers);

class InstructionAccess : public emulate::Access {
public:
    explicit InstructionAccess(Vcpu& vcpu) : vcpu_(vcpu) {}

    emulate::Step<> read(u64 linear, std::span<u8> into, emulate::Intent intent) override;
    emulate::Step<> write(u64 linear, std::span<const u8> from) override;
    emulate::Step<bool> compare_exchange(u64 linear, std::span<const u8> expected, std::span<const u8> replacement) override;
    emulate::Step<> probe_write(u64 linear, usize size) override;
    emulate::Step<> fetch(u64 linear, std::span<u8> into) override;
    emulate::Step<u32> port_in(u16 port, unsigned size) override;
    emulate::Step<> port_out(u16 port, unsigned size, u32 value) override;

protected:
    ~InstructionAccess() = default;
    Vcpu& vcpu() const { return vcpu_; }

private:
    Vcpu& vcpu_;
};

/// Runs the vCPU's instruction by this view of memory. False: the emulator can't, and nothing was changed.
bool run_instruction(Vcpu& vcpu, InstructionAccess& access);

}  // namespace px::pv
