// Running one instruction on the real processor: a trampoline loads all registers, jumps to a page that holds
// the instruction and a jump back, and stores all registers. Exceptions arrive as signals, whose handler
// resumes at the same way back.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/emulate/real_cpu.hpp"

#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <cstring>

// State of the run: named by the assembly below, which has no register left to hold a pointer.
extern "C" {
px::u64 px_cpu_registers[17];  // in and out: gpr 0–15, rflags
px::u8 px_cpu_vectors[16][16];
px::u64 px_cpu_host_rsp;
struct __attribute__((packed)) {
    px::u32 offset;
    px::u16 selector;
} px_cpu_target;  // of a far jump
void px_cpu_enter();
void px_cpu_leave();
}

asm(R"(
    .text
    .globl px_cpu_enter, px_cpu_leave
px_cpu_enter:
    mov $0x2b, %eax  # flat data, for 32-bit mode
    mov %eax, %ds
    mov %eax, %es
    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
    mov %rsp, px_cpu_host_rsp(%rip)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movdqu px_cpu_vectors+16*\n(%rip), %xmm\n
    .endr
    push px_cpu_registers+128(%rip)
    popfq
    mov px_cpu_registers+0(%rip), %rax
    mov px_cpu_registers+8(%rip), %rcx
    mov px_cpu_registers+16(%rip), %rdx
    mov px_cpu_registers+24(%rip), %rbx
    mov px_cpu_registers+32(%rip), %rsp
    mov px_cpu_registers+40(%rip), %rbp
    mov px_cpu_registers+48(%rip), %rsi
    mov px_cpu_registers+56(%rip), %rdi
    mov px_cpu_registers+64(%rip), %r8
    mov px_cpu_registers+72(%rip), %r9
    mov px_cpu_registers+80(%rip), %r10
    mov px_cpu_registers+88(%rip), %r11
    mov px_cpu_registers+96(%rip), %r12
    mov px_cpu_registers+104(%rip), %r13
    mov px_cpu_registers+112(%rip), %r14
    mov px_cpu_registers+120(%rip), %r15
    ljmpl *px_cpu_target(%rip)
px_cpu_leave:
    mov %rax, px_cpu_registers+0(%rip)
    mov %rcx, px_cpu_registers+8(%rip)
    mov %rdx, px_cpu_registers+16(%rip)
    mov %rbx, px_cpu_registers+24(%rip)
    mov %rsp, px_cpu_registers+32(%rip)
    mov %rbp, px_cpu_registers+40(%rip)
    mov %rsi, px_cpu_registers+48(%rip)
    mov %rdi, px_cpu_registers+56(%rip)
    mov %r8, px_cpu_registers+64(%rip)
    mov %r9, px_cpu_registers+72(%rip)
    mov %r10, px_cpu_registers+80(%rip)
    mov %r11, px_cpu_registers+88(%rip)
    mov %r12, px_cpu_registers+96(%rip)
    mov %r13, px_cpu_registers+104(%rip)
    mov %r14, px_cpu_registers+112(%rip)
    mov %r15, px_cpu_registers+120(%rip)
    mov px_cpu_host_rsp(%rip), %rsp
    pushfq
    pop px_cpu_registers+128(%rip)
    push $0x202
    popfq
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movdqu %xmm\n, px_cpu_vectors+16*\n(%rip)
    .endr
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
    ret
)");

namespace px::emulate::test {
namespace {

constexpr u16 code_64 = 0x33, code_32 = 0x23;  // Linux's user selectors

constexpr int signals[] = {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGTRAP};
struct sigaction former_actions[std::size(signals)];
alignas(16) u8 signal_stack[64 * 1024];
int fault_vector = -1;
u32 fault_error_code = 0;
u64 fault_cr2 = 0;
bool running = false;

void on_signal(int number, siginfo_t*, void* context) {
    asm volatile("push $0x202; popfq" ::: "cc");  // AC and DF may be those of the instruction
    if (!running) {
        signal(number, SIG_DFL);
        return;
    }
    mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
    fault_vector = static_cast<int>(machine.gregs[REG_TRAPNO]);
    fault_error_code = static_cast<u32>(machine.gregs[REG_ERR]);
    fault_cr2 = static_cast<u64>(machine.gregs[REG_CR2]);
    machine.gregs[REG_CSGSFS] = (machine.gregs[REG_CSGSFS] & ~greg_t{0xffff}) | code_64;
    machine.gregs[REG_RIP] = reinterpret_cast<greg_t>(&px_cpu_leave);
}

u64 map_low(usize size, int protection) {
    void* address = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (address == MAP_FAILED) std::abort();
    return reinterpret_cast<u64>(address);
}

u64 base_of(int which) {
    u64 base = 0;
    syscall(SYS_arch_prctl, which, &base);
    return base;
}

}  // namespace

u64 RealCpu::fs_base() { return base_of(ARCH_GET_FS); }
u64 RealCpu::gs_base() { return base_of(ARCH_GET_GS); }

RealCpu::RealCpu() {
    window_ = map_low(window_size + 2 * guard_size, PROT_NONE) + guard_size;
    mprotect(reinterpret_cast<void*>(window_), window_size, PROT_READ | PROT_WRITE);
    code_ = map_low(page_size, PROT_READ | PROT_WRITE | PROT_EXEC);

    const stack_t stack{.ss_sp = signal_stack, .ss_flags = 0, .ss_size = sizeof signal_stack};
    sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (usize i = 0; i < std::size(signals); ++i) sigaction(signals[i], &action, &former_actions[i]);
}

RealCpu::~RealCpu() {
    for (usize i = 0; i < std::size(signals); ++i) sigaction(signals[i], &former_actions[i], nullptr);
    munmap(reinterpret_cast<void*>(window_ - guard_size), window_size + 2 * guard_size);
    munmap(reinterpret_cast<void*>(code_), page_size);
}

bool RealCpu::supports(Mode mode) {
    const u8 nop = 0x90;
    return run({&nop, 1}, CpuState{}, mode).vector < 0;
}

/// The instruction and, behind it, the way back: from 32-bit mode by a far jump, then in 64-bit mode by an
/// indirect one, whose operand is aligned because the instruction may run with RFLAGS.AC set.
void RealCpu::place(std::span<const u8> instruction, Mode mode) {
    constexpr u8 way_back_at = 48, address_at = 64;
    const u64 address = reinterpret_cast<u64>(&px_cpu_leave);
    const u32 way_back = static_cast<u32>(code_ + way_back_at);
    const u8 jump_near[] = {0xe9, static_cast<u8>(way_back_at - instruction.size() - 5), 0, 0, 0};
    const u8 jump_far[] = {0xea,
                           static_cast<u8>(way_back),
                           static_cast<u8>(way_back >> 8),
                           static_cast<u8>(way_back >> 16),
                           static_cast<u8>(way_back >> 24),
                           code_64,
                           0};
    const u8 jump_indirect[] = {0xff, 0x25, address_at - way_back_at - 6, 0, 0, 0};
    const std::span<const u8> jump = mode == Mode::bits64 ? std::span<const u8>(jump_near) : jump_far;

    u8* code = reinterpret_cast<u8*>(code_);
    std::memcpy(code, instruction.data(), instruction.size());
    std::memcpy(code + instruction.size(), jump.data(), jump.size());
    std::memcpy(code + way_back_at, jump_indirect, sizeof jump_indirect);
    std::memcpy(code + address_at, &address, sizeof address);
}

CpuResult RealCpu::run(std::span<const u8> instruction, const CpuState& before, Mode mode) {
    place(instruction, mode);
    std::memcpy(px_cpu_registers, before.gpr.data(), sizeof before.gpr);
    px_cpu_registers[16] = before.rflags;
    std::memcpy(px_cpu_vectors, before.xmm.data(), sizeof px_cpu_vectors);
    px_cpu_target = {static_cast<u32>(code_), mode == Mode::bits64 ? code_64 : code_32};
    fault_vector = -1;
    running = true;
    px_cpu_enter();
    running = false;

    CpuResult result;
    std::memcpy(result.state.gpr.data(), px_cpu_registers, sizeof result.state.gpr);
    result.state.rflags = px_cpu_registers[16];
    std::memcpy(result.state.xmm.data(), px_cpu_vectors, sizeof px_cpu_vectors);
    result.vector = fault_vector;
    result.error_code = fault_error_code;
    result.cr2 = fault_cr2;
    return result;
}

}  // namespace px::emulate::test
