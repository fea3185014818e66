// Starting the other CPUs, and calling them.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/smp.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "arch/smp.hpp"
#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/clock.hpp"
#include "arch/x86/machine/local_apic.hpp"
#include "arch/x86/machine/machine_check.hpp"
#include "arch/x86/machine/nodes.hpp"
#include "arch/x86/microcode/microcode.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px {
namespace {
constinit std::array<PerCpu*, max_cpus> blocks{};
constinit std::atomic<unsigned> online{0};
}  // namespace

PerCpu* per_cpu(CpuId cpu) { return cpu.raw < max_cpus ? blocks[cpu.raw] : nullptr; }
unsigned online_cpus() { return online.load(std::memory_order_acquire); }

void raise_softirq_on(CpuId cpu, Softirq which) {
    PerCpu& target = *blocks[cpu.raw];
    const u32 bit = 1u << static_cast<unsigned>(which);
    const bool noted = (target.softirqs.fetch_or(bit, std::memory_order_acq_rel) & bit) != 0;
    if (!noted && &target != &this_cpu()) arch::interrupt_cpu(cpu);
}

namespace arch {
namespace {

extern "C" const u8 trampoline_start[], trampoline_end[], trampoline_parameters[];

struct TrampolineParameters {
    u64 page_table, stack, entry;
};

struct Call {
    void (*function)(void*);
    void* context;
    std::atomic<u32> missing;
};
/// Who called each CPU: a bit per caller, whose request lies in `calls`.
constinit std::array<std::array<std::atomic<u64>, max_cpus / 64>, max_cpus> callers{};
constinit std::array<Call*, max_cpus> calls{};

void answer_calls() {
    for (unsigned word = 0; word < max_cpus / 64; ++word) {
        u64 pending = callers[this_cpu().id.raw][word].exchange(0, std::memory_order_acquire);
        for (; pending != 0; pending &= pending - 1) {
            Call& call = *calls[word * 64 + static_cast<unsigned>(std::countr_zero(pending))];
            call.function(call.context);
            call.missing.fetch_sub(1, std::memory_order_release);
        }
    }
}

void handle_softirq_interrupt(u8) { local_apic_eoi(); }
void handle_call(u8) {
    local_apic_eoi();
    answer_calls();
}

/// TimerHardware: the queue's CPU sets its own timer; another one is asked to look at its queue.
void program_queue(void*, CpuId cpu, Nanoseconds deadline) {
    if (cpu == this_cpu().id) program_timer(deadline);
    else if (deadline != Nanoseconds::never()) raise_softirq_on(cpu, Softirq::timer);
}

PerCpu& make_cpu(u32 apic_id, u32 uid) {
    const CpuId id{online.load(std::memory_order_relaxed)};
    auto block = make<PerCpu>(id, TimerHardware{program_queue, nullptr});
    const auto stack = map_stack_block(id);
    const auto descriptors = map_descriptor_area(id);
    if (!block || !stack || !descriptors) panic("no memory for CPU {}", id);
    PerCpu* cpu = (*block).release();
    cpu->arch.apic_id = apic_id;
    cpu->arch.acpi_uid = uid;
    cpu->node = node_of_apic(apic_id);
    cpu->arch.stack_block = *stack;
    cpu->arch.descriptors = *descriptors;
    *reinterpret_cast<PerCpu**>(*stack + stack_block_top) = cpu;
    blocks[id.raw] = cpu;
    return *cpu;
}

[[noreturn]] void enter_stack(u64 stack_block, void (*next)()) {
    asm volatile("movq %0, %%rsp; xorl %%ebp, %%ebp; call __x86_indirect_thunk_rax; ud2" ::"r"(stack_block + stack_block_top), "a"(next)
                 : "memory");
    __builtin_unreachable();
}

/// A started CPU arrives here on its own stack, interrupts off.
[[noreturn]] void other_cpu_start() {
    set_up_this_cpu();
    PerCpu& cpu = this_cpu();
    cpu.online = true;
    online.fetch_add(1, std::memory_order_release);
    cpu_loop();
}

bool start_cpu(const acpi::Cpu& which) {
    PerCpu& cpu = make_cpu(which.apic_id, which.uid);
    const u64 page = memory_layout().trampoline;
    u8* memory = static_cast<u8*>(to_virtual(Paddr{page}));
    std::memcpy(memory, trampoline_start, static_cast<usize>(trampoline_end - trampoline_start));
    const TrampolineParameters parameters{to_paddr(address_space_root()).raw, cpu.arch.stack_block + stack_block_top,
                                          reinterpret_cast<u64>(&other_cpu_start)};
    std::memcpy(memory + (trampoline_parameters - trampoline_start), &parameters, sizeof parameters);

    const unsigned before = online_cpus();
    local_apic_send_init(which.apic_id);
    delay(milliseconds(10));
    for (unsigned attempt = 0; attempt < 2 && online_cpus() == before; ++attempt) {
        local_apic_send_startup(which.apic_id, static_cast<u8>(page >> page_shift));
        const Nanoseconds patience = now() + (attempt == 0 ? milliseconds(20) : seconds(2));
        while (online_cpus() == before && now() < patience) cpu_relax();
    }
    if (online_cpus() != before) return true;
    // Its block stays: a CPU that is merely late must not run on freed memory.
    local_apic_send_init(which.apic_id);
    log_error("CPU with APIC id {:#x} does not start: left out", which.apic_id);
    return false;
}

}  // namespace

void set_up_this_cpu() {
    load_descriptors(this_cpu().arch);
    load_microcode();
    enable_host_features();
    enable_mitigations();
    enable_machine_checks();
    enable_local_apic();
    init_cpu_timer();
    enable_virtualization();
}

void become_boot_cpu(void (*next)()) {
    PerCpu& cpu = make_cpu(0, 0);
    // The boot stack is still in use; it names the block as well, so this_cpu() works from here on.
    extern u64 boot_stack_block_pointer asm("boot_stack_top");
    boot_stack_block_pointer = reinterpret_cast<u64>(&cpu);
    enter_stack(cpu.arch.stack_block, next);
}

void start_other_cpus(unsigned limit) {
    set_interrupt_handler(vector::softirq, handle_softirq_interrupt);
    set_interrupt_handler(vector::posted, handle_softirq_interrupt);
    set_interrupt_handler(vector::call, handle_call);
    PerCpu& self = this_cpu();
    self.arch.apic_id = local_apic_id();
    self.node = node_of_apic(self.arch.apic_id);
    self.online = true;
    online.store(1, std::memory_order_release);
    for (const acpi::Cpu& cpu : acpi_tables().topology.cpus) {
        if (cpu.apic_id == self.arch.apic_id) self.arch.acpi_uid = cpu.uid;
        if (!cpu.enabled || cpu.apic_id == self.arch.apic_id) continue;
        if (online_cpus() >= std::min(limit, max_cpus)) break;
        if (!local_apic_is_x2() && cpu.apic_id > 254) {
            log_error("CPU with APIC id {:#x} needs x2APIC mode: left out", cpu.apic_id);
            continue;
        }
        if (memory_layout().trampoline == 0) return log_error("no page below 1 MiB: only one CPU is used");
        if (!start_cpu(cpu)) return;
    }
    log_info("{} CPUs online", online_cpus());
}

HeldLocks* held_locks() {
    PerCpu* const cpu = this_cpu_pointer();
    return cpu != nullptr ? &cpu->held_locks : nullptr;
}

void interrupt_cpu(CpuId cpu) { local_apic_send(per_cpu(cpu)->arch.apic_id, vector::softirq); }

void interrupt_cpu_for_posted(CpuId cpu) { local_apic_send(per_cpu(cpu)->arch.apic_id, vector::posted); }

void call_on(const CpuMask& cpus, void (*function)(void*), void* context) {
    const u32 self = this_cpu().id.raw;
    Call call{function, context, 0};
    calls[self] = &call;
    u32 count = 0;
    for (u32 id = 0; id < online_cpus(); ++id) count += id != self && cpus.has(CpuId{id});
    call.missing.store(count, std::memory_order_relaxed);
    for (u32 id = 0; id < online_cpus(); ++id) {
        if (id == self || !cpus.has(CpuId{id})) continue;
        callers[id][self / 64].fetch_or(u64{1} << (self % 64), std::memory_order_release);
        local_apic_send(per_cpu(CpuId{id})->arch.apic_id, vector::call);
    }
    // Two CPUs may call each other with interrupts off: each answers while it waits.
    while (call.missing.load(std::memory_order_acquire) != 0) {
        answer_calls();
        cpu_relax();
    }
}

void idle() { asm volatile("sti; hlt" ::: "memory"); }

}  // namespace arch
}  // namespace px
