// Unpacking dom0's kernel.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/unpack.hpp"

#include <cstring>

#include "arch/cpu.hpp"
#include "arch/x86/cpu/registers.hpp"

namespace px::dom0 {
namespace {

using loader::Arena;
using loader::Loaded;
using loader::LoadError;
using loader::Payload;

constexpr usize stack_size = 64 << 10;

struct Work {
    const Payload& payload;
    std::span<u8> output;
    Arena& scratch;
    std::optional<Loaded<std::span<const u8>>> result{};
};

/// Calls work(context) with the stack pointer at `top`.
void call_on_stack(void (*work)(void*), void* context, void* top) {
    asm volatile(
        "movq %%rsp, %%rbx\n"
        "movq %[top], %%rsp\n"
        "call __x86_indirect_thunk_rax\n"
        "movq %%rbx, %%rsp"
        : "+D"(context), "+a"(work)
        : [top] "r"(top)
        : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
}

/// x87 and SSE as after RESET, whatever firmware and loader left.
void initialise_floating_point() {
    const u32 mxcsr = 0x1f80;
    asm volatile("fninit; ldmxcsr %0" ::"m"(mxcsr));
}

}  // namespace

Loaded<std::span<const u8>> unpack_kernel(std::span<const u8> file, std::span<u8> memory, std::string_view* version) {
    const Payload payload = TRY(loader::find_payload(file));
    *version = payload.version;
    if (payload.format == loader::Format::elf) return payload.bytes;

    constexpr usize fixed = stack_size + page_size;
    if (memory.size() < 2 * fixed) return Err{LoadError::output_too_small};
    u8* const stack_top = memory.data() + stack_size;
    u8* const canary = stack_top;
    std::memset(canary, 0, page_size);
    const auto rest = memory.subspan(fixed);
    // xz keeps a dictionary as large as its output: where the file doesn't tell its size, each gets half.
    const usize output_size = payload.unpacked_size.value_or(rest.size() / 2 - (usize{1} << 20));
    const usize scratch_size = loader::scratch_size(payload.format, output_size);
    if (output_size > rest.size() || scratch_size > rest.size() - output_size) return Err{LoadError::output_too_small};
    Arena scratch(rest.subspan(output_size, scratch_size));
    Work work{payload, rest.first(output_size), scratch};

    const auto flags = arch::irq_save();
    const u64 fs_base = arch::read_msr(arch::msr::fs_base);
    arch::write_msr(arch::msr::fs_base, reinterpret_cast<u64>(canary));
    initialise_floating_point();
    call_on_stack(
        [](void* context) {
            Work& job = *static_cast<Work*>(context);
            job.result.emplace(loader::unpack(job.payload, job.output, job.scratch));
        },
        &work, stack_top);
    arch::write_msr(arch::msr::fs_base, fs_base);
    arch::irq_restore(flags);
    return std::move(*work.result);
}

}  // namespace px::dom0
