// What a guest's exits mean, whatever the back end.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/exits.hpp"

#include "arch/vcpu.hpp"
#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {

void handle_cpuid(Vcpu& vcpu) {
    GuestRegisters& regs = vcpu.arch.registers;
    (void)current_control(vcpu);                                                                     // CR4.OSXSAVE shows in leaf 1
    if (static_cast<u32>(regs.rax) == 0xd && arch::has_xsave()) vcpu.arch.xcr0 = arch::read_xcr0();  // see switch_out()
    const auto leaf = guest_cpuid(vcpu, static_cast<u32>(regs.rax), static_cast<u32>(regs.rcx));
    regs.rax = leaf.eax;
    regs.rbx = leaf.ebx;
    regs.rcx = leaf.ecx;
    regs.rdx = leaf.edx;
}

void handle_halt(Vcpu& vcpu) {
    constexpr u64 interrupt_flag = 1u << 9;
    if (vcpu.arch.nmi_pending) return;
    // With interrupts closed, kernels halt a CPU that they are done with: off-lined, or the machine is to be off.
    if ((vcpu.arch.registers.rflags & interrupt_flag) == 0) return vcpu.domain.take_down(vcpu);
    vcpu.block();
}

void handle_pause(Vcpu& vcpu) {
    scheduler().yield(vcpu.unit);
    raise_softirq(Softirq::schedule);
}

Result<> set_xcr(Vcpu& vcpu, u32 index, u64 value) {
    REQUIRE(index == 0 && backend()->privilege(vcpu) == 0, efault);
    REQUIRE(valid_xcr0(value, vcpu.domain.arch.policy), efault);
    vcpu.arch.xcr0 = value;
    arch::load_xcr0(value);
    return {};
}

bool access_msr(Vcpu& vcpu, bool write) {
    GuestRegisters& regs = vcpu.arch.registers;
    const u32 index = static_cast<u32>(regs.rcx);
    if (write) {
        const bool done = write_msr(vcpu, index, (regs.rax & 0xffffffff) | regs.rdx << 32).ok();
        if (!done) inject_exception(vcpu, arch::exception::general_protection, 0);
        return done;
    }
    const auto value = read_msr(vcpu, index);
    if (!value) {
        inject_exception(vcpu, arch::exception::general_protection, 0);
        return false;
    }
    regs.rax = *value & 0xffffffff;
    regs.rdx = *value >> 32;
    return true;
}

void access_port(Vcpu& vcpu, u16 port, unsigned size, bool in) {
    u64& rax = vcpu.arch.registers.rax;
    const u64 mask = (u64{1} << size * 8) - 1;
    if (!in) return port_out(vcpu, port, size, static_cast<u32>(rax & mask));
    const u64 value = port_in(vcpu, port, size) & mask;
    rax = size == 4 ? value : (rax & ~mask) | value;  // 32-bit results clear the upper half
}

void read_guest_tsc(Vcpu& vcpu) {
    const u64 tsc = arch::read_tsc() + vcpu.arch.tsc_offset;
    vcpu.arch.registers.rax = tsc & 0xffffffff;
    vcpu.arch.registers.rdx = tsc >> 32;
}

Result<> write_cr0(Vcpu& vcpu, u64 value) {
    using namespace arch::cr0;
    constexpr u64 defined = pe | mp | em | ts | ne | wp | am | nw | cd | pg;
    REQUIRE(value >> 32 == 0, efault);
    REQUIRE((value & pg) == 0 || (value & pe) != 0, efault);
    REQUIRE((value & nw) == 0 || (value & cd) != 0, efault);
    backend()->synchronise(vcpu);
    ControlRegisters next = vcpu.arch.control;
    const u64 changed = (next.cr0 ^ value) & defined;
    next.cr0 = (value & defined) | et;
    if ((changed & pg) != 0 && (next.efer & arch::efer::lme) != 0) {
        const bool on = (value & pg) != 0;
        const bool code_64 = (backend()->segment(vcpu, Segment::cs).attributes & SegmentRegister::long_mode) != 0;
        REQUIRE(!code_64 && (on ? (next.cr4 & arch::cr4::pae) != 0 : (next.cr4 & arch::cr4::pcide) == 0), efault);
        next.efer = on ? next.efer | arch::efer::lma : next.efer & ~arch::efer::lma;
    }
    vcpu.arch.control = next;
    backend()->control_changed(vcpu);
    if ((changed & (pg | wp)) != 0) vcpu.arch.last_cpu = ~u32{0};  // a new tag: the guest expects its TLB flushed
    return {};
}

namespace {

Result<> write_cr4(Vcpu& vcpu, u64 value) {
    REQUIRE((value & ~valid_cr4(vcpu.domain.arch.policy)) == 0, efault);
    const bool in_long_mode = (current_control(vcpu).efer & arch::efer::lma) != 0;
    REQUIRE(!in_long_mode || (value & arch::cr4::pae) != 0, efault);
    backend()->synchronise(vcpu);
    const u64 changed = vcpu.arch.control.cr4 ^ value;
    vcpu.arch.control.cr4 = value;
    backend()->control_changed(vcpu);
    constexpr u64 flushing = arch::cr4::pge | arch::cr4::pae | arch::cr4::pse | arch::cr4::pcide | arch::cr4::smep;
    if ((changed & flushing) != 0) vcpu.arch.last_cpu = ~u32{0};  // a new tag: the guest expects its TLB flushed
    return {};
}

Result<> write_cr8(Vcpu& vcpu, u64 value) {
    REQUIRE(value <= 15, efault);
    vcpu.arch.apic.set_task_priority(static_cast<u8>(value << 4));
    return {};
}

}  // namespace

Result<> write_control(Vcpu& vcpu, unsigned number, u64 value) {
    switch (number) {
    case 0: return write_cr0(vcpu, value);
    case 4: return write_cr4(vcpu, value);
    case 8: return write_cr8(vcpu, value);
    default: return Err{Errno::efault};
    }
}

u32 port_in(Vcpu& vcpu, u16 port, unsigned size) {
    const auto* region = vcpu.domain.arch.ports.find(port);
    return region != nullptr ? region->handler->read(vcpu, port, size) : ~u32{0};
}

void port_out(Vcpu& vcpu, u16 port, unsigned size, u32 value) {
    if (const auto* region = vcpu.domain.arch.ports.find(port)) region->handler->write(vcpu, port, size, value);
}

namespace {

/// RAM can always be executed, but not through a large leaf where the format forbids that.
void allow_execution(Vcpu& vcpu, Gfn gfn, const GfnEntry& entry) {
    if (entry.order == 0) return;  // another CPU was first
    if (!vcpu.domain.physmap.change_type(gfn, entry.type)) vcpu.domain.crash("no memory to split a page table's leaf");
}

}  // namespace

void handle_physmap_fault(Vcpu& vcpu, Gpaddr address, AccessKind kind, bool present) {
    if (vcpu.domain.arch.mmio.find(address.raw) != nullptr) return emulate_instruction(vcpu);
    const GfnEntry entry = vcpu.domain.physmap.lookup(to_gfn(address));
    // Another CPU may have changed the entry since the access: then it simply runs again.
    const bool allowed = kind == AccessKind::write ? is_writable_ram(entry.type) || entry.type == GfnType::mmio_direct
                                                   : is_readable_ram(entry.type) || entry.type == GfnType::mmio_direct;
    if (allowed && !present) return;
    if (allowed && kind == AccessKind::fetch && entry.type != GfnType::mmio_direct) return allow_execution(vcpu, to_gfn(address), entry);
    if (kind == AccessKind::fetch) {
        guest_log(LogLevel::error, "dom{} vcpu{}: executes at guest physical {:#x} where there is no memory", vcpu.domain.id, vcpu.id,
                  address);
        return vcpu.domain.crash("execution outside of memory");
    }
    // A hole reads as ones; writes to it, and to read-only memory, are dropped.
    emulate_instruction(vcpu);
}

void handle_shutdown(Vcpu& vcpu) {
    const GuestRegisters& registers = vcpu.arch.registers;
    const ControlRegisters& control = current_control(vcpu);
    const TableRegister idt = backend()->idtr(vcpu);
    const Event& event = vcpu.arch.pending;
    guest_log(LogLevel::error,
              "dom{} vcpu{}: triple fault at rip {:#x} rsp {:#x} rflags {:#x} cr0 {:#x} cr2 {:#x} cr3 {:#x} cr4 {:#x} idt {:#x}/{:#x}",
              vcpu.domain.id, vcpu.id, registers.rip, registers.rsp, registers.rflags, control.cr0, control.cr2, control.cr3, control.cr4,
              idt.base, idt.limit);
    if (event.kind != Event::Kind::none) {
        guest_log(LogLevel::error, "dom{} vcpu{}: while event {:#x} of kind {} was delivered", vcpu.domain.id, vcpu.id, event.vector,
                  static_cast<unsigned>(event.kind));
    }
    vcpu.domain.shutdown(static_cast<u8>(abi::ShutdownReason::reboot));
}

}  // namespace px::hvm
