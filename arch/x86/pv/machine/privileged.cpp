// Instructions that PV guests have done for them.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/privileged.hpp"

#include <cstring>

#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/machine/deliver.hpp"
#include "arch/x86/pv/machine/guest_memory.hpp"
#include "arch/x86/pv/machine/instruction.hpp"
#include "arch/x86/pv/machine/ports.hpp"
#include "arch/x86/pv/tlb_flush.hpp"
#include "arch/x86/pv/use.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

using emulate::Gpr;
using emulate::Instruction;
using emulate::Map;
using emulate::Outcome;
using emulate::Registers;
using emulate::Step;

// ---- Ports.

class PortAccess final : public InstructionAccess {
public:
    using InstructionAccess::InstructionAccess;
    Step<u32> port_in(u16 port, unsigned size) override {
        if (!may_use(port, size)) return Err{Outcome::exception(emulate::general_protection, 0)};
        return pv::port_in(vcpu(), port, size);
    }
    Step<> port_out(u16 port, unsigned size, u32 value) override {
        if (!may_use(port, size)) return Err{Outcome::exception(emulate::general_protection, 0)};
        pv::port_out(vcpu(), port, size, value);
        return {};
    }

private:
    bool may_use(u16 port, unsigned size) const {
        VcpuState& state = state_of(vcpu());
        return may_use_ports(frame_of_vcpu(vcpu()), port, size, state.iopl, assisted(vcpu(), abi::VmassistType::architectural_iopl),
                             state.io_bitmap_ports, [&](u32 byte) -> Result<u8> {
                                 u8 value;
                                 TRY(copy_from_guest(state, &value, state.io_bitmap + byte, 1));
                                 return value;
                             });
    }
};

bool is_port_instruction(const Instruction& in) {
    if (in.encoding != emulate::Encoding::legacy || in.map != Map::one_byte) return false;
    return (in.opcode >= 0x6c && in.opcode <= 0x6f) || (in.opcode >= 0xe4 && in.opcode <= 0xe7) || (in.opcode >= 0xec && in.opcode <= 0xef);
}

// ---- Control registers. Each answers false where the guest may not do that: #GP(0).

bool read_control(Vcpu& vcpu, const Instruction& in, Registers& registers) {
    const hvm::ControlRegisters& control = vcpu.arch.control;
    u64& to = registers.gpr[in.rm];
    switch (in.reg) {
    case 0: to = control.cr0; return true;
    case 2: to = vcpu.info().arch.cr2; return true;
    case 3: to = to_paddr(mfn_of(*state_of(vcpu).memory.kernel_root)).raw; return true;
    case 4: to = control.cr4; return true;
    default: return false;
    }
}

bool write_cr0(Vcpu& vcpu, u64 value) {
    u64& cr0 = vcpu.arch.control.cr0;
    if (((value ^ cr0) & ~arch::cr0::ts) != 0) return false;
    cr0 = value;
    load_task_switched((value & arch::cr0::ts) != 0);
    return true;
}

/// Done, again (a table isn't validated to its end), or refused.
enum class Control : u8 { done, again, refused };

Control write_control(Vcpu& vcpu, const Instruction& in, u64 value) {
    switch (in.reg) {
    case 0: return write_cr0(vcpu, value) ? Control::done : Control::refused;
    case 2: vcpu.arch.control.cr2 = vcpu.info().arch.cr2 = value; return Control::done;
    case 3: {
        VcpuMemory& memory = state_of(vcpu).memory;
        if (finish(memory) == Progress::more) return Control::again;
        const auto set = set_root(memory, to_mfn(Paddr{value & Entry::frame_bits}), Root::kernel);
        if (!set.ok()) return Control::refused;
        return *set == Progress::more ? Control::again : Control::done;
    }
    case 4:
        vcpu.arch.control.cr4 = guest_cr4(vcpu, value);
        arch::write_cr<4>(real_cr4(vcpu));
        return Control::done;
    default: return Control::refused;
    }
}

// ---- Instructions with values in registers.

void cpuid(Vcpu& vcpu, Registers& registers) {
    const hvm::Leaf leaf = hvm::guest_cpuid(vcpu, static_cast<u32>(registers.gpr[Gpr::rax]), static_cast<u32>(registers.gpr[Gpr::rcx]));
    registers.gpr[Gpr::rax] = leaf.eax;
    registers.gpr[Gpr::rbx] = leaf.ebx;
    registers.gpr[Gpr::rcx] = leaf.ecx;
    registers.gpr[Gpr::rdx] = leaf.edx;
}

void put_pair(Registers& registers, u64 value) {
    registers.gpr[Gpr::rax] = static_cast<u32>(value);
    registers.gpr[Gpr::rdx] = value >> 32;
}
u64 pair_of(const Registers& registers) { return static_cast<u32>(registers.gpr[Gpr::rax]) | registers.gpr[Gpr::rdx] << 32; }

bool rdmsr(Vcpu& vcpu, Registers& registers) {
    const auto value = read_msr(vcpu, static_cast<u32>(registers.gpr[Gpr::rcx]));
    if (value.ok()) put_pair(registers, *value);
    return value.ok();
}
bool wrmsr(Vcpu& vcpu, const Registers& registers) {
    return write_msr(vcpu, static_cast<u32>(registers.gpr[Gpr::rcx]), pair_of(registers)).ok();
}

bool xsetbv(Vcpu& vcpu, const Registers& registers) {
    const u64 value = pair_of(registers);
    if (!arch::has_xsave() || static_cast<u32>(registers.gpr[Gpr::rcx]) != 0 || (value & ~arch::host_xcr0()) != 0) return false;
    if (!hvm::valid_xcr0(value, vcpu.domain.arch.policy)) return false;
    vcpu.arch.xcr0 = value;
    arch::load_xcr0(value);
    return true;
}

/// Two-byte opcode 01.
bool group_7(Vcpu& vcpu, const Instruction& in, Registers& registers) {
    switch (in.modrm) {
    case 0xd1: return xsetbv(vcpu, registers);
    case 0xf9:
        put_pair(registers, arch::read_tsc());
        registers.gpr[Gpr::rcx] = vcpu.arch.tsc_aux;
        return true;
    default: break;
    }
    if (in.reg_field() != 7 || !in.has_memory) return false;
    // INVLPG: the operand is only an address, so it must be calculated here.
    u64 address = static_cast<u64>(in.memory.displacement);
    if (in.memory.base != emulate::no_gpr) address += registers.gpr[in.memory.base];
    if (in.memory.index != emulate::no_gpr) address += registers.gpr[in.memory.index] << in.memory.shift;
    if (in.memory.rip_relative) address += registers.rip + in.length;
    if (in.memory.segment == emulate::Segment::fs || in.memory.segment == emulate::Segment::gs)
        address += registers[in.memory.segment].base;
    TlbFlush::page(local_cpu(), address).settle();
    return true;
}

/// Two-byte opcodes of the kernel.
Control kernel_instruction(Vcpu& vcpu, const Instruction& in, Registers& registers) {
    const auto answered = [](bool done) { return done ? Control::done : Control::refused; };
    switch (in.opcode) {
    case 0x01: return answered(group_7(vcpu, in, registers));
    case 0x06: return answered(write_cr0(vcpu, vcpu.arch.control.cr0 & ~arch::cr0::ts));
    case 0x08:
    case 0x09:  // INVD does what WBINVD does; neither is anything to who has no devices
        if (machine::has_devices(vcpu.domain)) machine::flush_caches(false);
        return Control::done;
    case 0x20: return answered(read_control(vcpu, in, registers));
    case 0x21: {
        const auto value = debug_register(vcpu, in.reg);
        if (value.ok()) registers.gpr[in.rm] = *value;
        return answered(value.ok());
    }
    case 0x22: return write_control(vcpu, in, registers.gpr[in.rm]);
    case 0x23: return answered(set_debug_register(vcpu, in.reg, registers.gpr[in.rm]).ok());
    case 0x30: return answered(wrmsr(vcpu, registers));
    case 0x31: put_pair(registers, arch::read_tsc()); return Control::done;
    case 0x32: return answered(rdmsr(vcpu, registers));
    case 0xa2: cpuid(vcpu, registers); return Control::done;
    default: return Control::refused;
    }
}

Control execute(Vcpu& vcpu, const Instruction& in, Registers& registers) {
    if (in.encoding != emulate::Encoding::legacy) return Control::refused;
    const bool in_kernel = state_of(vcpu).in_kernel;
    if (in.map == Map::map_0f) {
        // CPUID faulting is for users as well; the time stamp isn't theirs where the kernel said so.
        if (in.opcode == 0xa2 || in_kernel) return kernel_instruction(vcpu, in, registers);
        return Control::refused;
    }
    if (in.map != Map::one_byte || !in_kernel) return Control::refused;
    constexpr u8 hlt = 0xf4, cli = 0xfa, sti = 0xfb;
    switch (in.opcode) {
    case hlt:
        vcpu.info().evtchn_upcall_mask = 0;
        vcpu.block();
        return Control::done;
    // Without effect, as in 4.17: events are masked by another word.
    case cli:
    case sti: return state_of(vcpu).iopl > 0 ? Control::done : Control::refused;
    default: return Control::refused;
    }
}

bool ports(Vcpu& vcpu, const Instruction& in, Registers& registers, PortAccess& access) {
    // Who may use which ports is decided above, not by the processor's rules.
    registers.cpl = 0;
    const Outcome outcome = emulate::run(registers, in, access);
    switch (outcome.kind) {
    case Outcome::Kind::done:
    case Outcome::Kind::again: take_registers(vcpu, registers); return true;
    case Outcome::Kind::fault: break;
    default: return false;
    }
    if (outcome.fault.vector != emulate::page_fault) return false;
    deliver_page_fault(vcpu, outcome.fault.cr2, outcome.fault.error_code);
    return true;
}

}  // namespace

bool emulate_privileged(Vcpu& vcpu) {
    Registers registers = registers_of(vcpu);
    PortAccess access(vcpu);
    const auto in = emulate::fetch_instruction(registers, access);
    if (!in.ok()) return false;
    if (is_port_instruction(*in)) return ports(vcpu, *in, registers, access);
    switch (execute(vcpu, *in, registers)) {
    case Control::refused: return false;
    case Control::again: return true;
    case Control::done: break;
    }
    registers.rip += in->length;
    take_registers(vcpu, registers);
    return true;
}

bool emulate_forced(Vcpu& vcpu) {
    constexpr u8 forced_cpuid[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
    u8 bytes[sizeof forced_cpuid];
    const u64 at = state_of(vcpu).area.frame.rip;
    if (!read_mapped(bytes, at, sizeof bytes) || std::memcmp(bytes, forced_cpuid, sizeof bytes) != 0) return false;
    Registers registers = registers_of(vcpu);
    cpuid(vcpu, registers);
    registers.rip += sizeof bytes;
    take_registers(vcpu, registers);
    return true;
}

}  // namespace px::pv
