// The hypercalls of PV guests: by SYSCALL from the guest's kernel.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/calls.hpp"

#include <cstring>

#include "arch/x86/dom0/pv_hypercalls.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "arch/x86/pv/hypercalls.hpp"
#include "arch/x86/pv/machine/deliver.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {

constinit const HypercallTable hypercalls = [] {
    namespace number = abi::hypercall;
    HypercallTable table = generic_hypercalls();
    table[number::set_trap_table] = {set_trap_table};
    table[number::mmu_update] = {mmu_update};
    table[number::set_gdt] = {hypercall_set_gdt};
    table[number::stack_switch] = {stack_switch};
    table[number::set_callbacks] = {set_callbacks};
    table[number::fpu_taskswitch] = {fpu_taskswitch};
    table[number::platform_op] = {hvm::hypercall_platform_op};
    table[number::set_debugreg] = {set_debugreg};
    table[number::get_debugreg] = {get_debugreg};
    table[number::update_descriptor] = {hypercall_update_descriptor};
    table[number::update_va_mapping] = {update_va_mapping};
    table[number::update_va_mapping_otherdomain] = {update_va_mapping_otherdomain};
    table[number::set_segment_base] = {set_segment_base};
    table[number::mmuext_op] = {mmuext_op};
    table[number::nmi_op] = {nmi_op};
    table[number::callback_op] = {callback_op};
    table[number::physdev_op] = {dom0::hypercall_pv_physdev_op};
    table[number::physdev_op_compat] = {dom0::hypercall_pv_physdev_op_compat};
    table[number::hvm_op] = {hvm::hypercall_hvm_op};
    return table;
}();

void write_hypercall_page(void* page) {
    u8* const bytes = static_cast<u8*>(page);
    std::memset(bytes, 0xcc, page_size);
    for (unsigned number = 0; number < page_size / 32; ++number) {
        // push %rcx; push %r11; mov $number, %eax; syscall; pop %r11; pop %rcx; ret
        const u8 code[] = {0x51, 0x41, 0x53, 0xb8, static_cast<u8>(number), 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
        std::memcpy(bytes + number * 32, code, sizeof code);
    }
    // push %rcx; push %r11; push %rax; mov $iret, %eax; syscall: what is pushed is the frame's begin, and nothing comes back
    const u8 code[] = {0x51, 0x41, 0x53, 0x50, 0xb8, abi::hypercall::iret, 0, 0, 0, 0x0f, 0x05};
    std::memset(bytes + abi::hypercall::iret * 32, 0xcc, 32);
    std::memcpy(bytes + abi::hypercall::iret * 32, code, sizeof code);
}

namespace {

void call(Vcpu& vcpu, arch::TrapFrame& frame) {
    const u64 number = frame.rax;
    if (number == abi::hypercall::iret) return iret(vcpu);
    const HypercallHandler handler = number < hypercalls.size() ? hypercalls[number].handler : nullptr;
    if (handler == nullptr) {
        frame.rax = static_cast<u64>(-static_cast<i64>(Errno::enosys));
        return;
    }
    HypercallArgs args{{frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8}};
    const Result<Reply> result = handler(vcpu, args);
    if (!result.ok() || !result.value().again()) {
        frame.rax = static_cast<u64>(to_register(result));
        return;
    }
    constexpr u64 syscall_length = 2;
    frame.rip -= syscall_length;
    frame.rdi = args[0];
    frame.rsi = args[1];
    frame.rdx = args[2];
    frame.r10 = args[3];
    frame.r8 = args[4];
}

}  // namespace

/// SYSCALL of the guest: of its kernel a hypercall, of its users a call to its kernel. Interrupts off.
extern "C" void pv_handle_syscall(arch::TrapFrame* frame) {
    Vcpu& vcpu = *this_cpu().current;
    VcpuState& state = state_of(vcpu);
    if (state.in_kernel && frame->cs == abi::x86::flat_ring3::cs64) {
        state.by_sysret = true;
        arch::irq_enable();
        return call(vcpu, *frame);
    }
    state.by_sysret = false;
    deliver_syscall(vcpu, frame->cs == abi::x86::flat_ring3::cs64 ? state.syscall : state.syscall32);
}

}  // namespace px::pv
