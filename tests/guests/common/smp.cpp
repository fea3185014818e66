// Starting further CPUs; see smp.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/smp.hpp"

#include <cstring>

#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/xen.hpp"

extern "C" {
extern const char ap_trampoline[], ap_trampoline_end[], ap_entry_64[], page_root[];
px::u64 ap_stack;
}

namespace px::guest {

namespace {

constexpr unsigned max_cpus = 8;
constexpr usize stack_size = 8192;
constexpr u64 trampoline_page = 8;  // 0x8000: below 1 MiB, where a startup IPI can point
alignas(16) constinit char stacks[max_cpus][stack_size]{};
using Function = void (*)();
constinit Function ap_function = nullptr;
constinit std::atomic<bool> ap_begun{false};

bool prepare(unsigned vcpu, void (*function)()) {
    if (vcpu == 0 || vcpu >= max_cpus) return false;
    ap_function = function;
    ap_stack = reinterpret_cast<u64>(stacks[vcpu] + stack_size);
    ap_begun = false;
    return true;
}

i64 await_ap() {
    return wait_for([] { return ap_begun.load(); }) ? 0 : minus(Errno::etimedout);
}

extern "C" [[noreturn]] void ap_start() {
    load_interrupt_table();
    void (*const function)() = ap_function;
    ap_begun = true;
    function();
    for (;;) asm volatile("cli; hlt");
}

}  // namespace

unsigned cpu_number() { return cpuid(hypervisor_leaf() + 4).ebx; }

i64 start_by_vcpu_op(unsigned vcpu, void (*function)()) {
    if (!prepare(vcpu, function)) return minus(Errno::einval);
    abi::arch::VcpuHvmContext context{};
    context.mode = static_cast<u32>(abi::arch::VcpuHvmMode::mode_64b);
    auto& registers = context.cpu_regs.x86_64;
    registers = {};
    registers.rip = reinterpret_cast<u64>(ap_entry_64);
    registers.rflags = 2;
    registers.cr0 = 0x8001'0023;  // PG, WP, NE, MP, PE
    registers.cr3 = reinterpret_cast<u64>(page_root);
    registers.cr4 = 0x620;   // OSXMMEXCPT, OSFXSR, PAE
    registers.efer = 0xd00;  // NXE, LMA, LME
    if (const i64 error = call(abi::VcpuOp::initialise, vcpu, &context)) return error;
    if (const i64 error = call(abi::VcpuOp::up, vcpu)) return error;
    return await_ap();
}

i64 start_by_sipi(unsigned vcpu, void (*function)()) {
    if (!prepare(vcpu, function)) return minus(Errno::einval);
    std::memcpy(reinterpret_cast<void*>(trampoline_page << page_shift), ap_trampoline, ap_trampoline_end - ap_trampoline);
    const u32 target = apic_id_of(vcpu);
    send_ipi(target, ipi_init | ipi_assert);
    send_ipi(target, ipi_startup | ipi_assert | trampoline_page);
    return await_ap();
}

}  // namespace px::guest
