// The build host as an architecture: RAM, CPUs, and what they do to each other.
//
// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>

#include <memory>
#include <vector>

#include "arch/guest_memory.hpp"
#include "arch/hypercalls.hpp"
#include "arch/memory.hpp"
#include "arch/smp.hpp"
#include "arch/time.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/mm/frame.hpp"
#include "hypervisor/mm/frame_allocator.hpp"

namespace px {
namespace {

struct Machine {
    char* ram = nullptr;
    std::unique_ptr<Frame[]> frames;
    u64 frame_count = 0;
    std::vector<std::unique_ptr<PerCpu>> cpus;
};
Machine machine;
thread_local u32 cpu_of_thread = 0;

void program(void*, CpuId cpu, Nanoseconds deadline) { machine.cpus[cpu.raw]->arch.programmed = deadline; }

void start(u64 frames, unsigned cpus) {
    void* const ram = mmap(nullptr, frames * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    PX_ASSERT(ram != MAP_FAILED);
    machine.ram = static_cast<char*>(ram);
    machine.frames = std::make_unique<Frame[]>(frames);
    machine.frame_count = frames;
    for (u64 i = 0; i < frames; ++i) machine.frames[i].is_ram = 1;
    for (u32 id = 0; id < cpus; ++id) {
        machine.cpus.push_back(std::make_unique<PerCpu>(CpuId{id}, TimerHardware{program, nullptr}));
        machine.cpus.back()->online = true;
    }
    add_free_range(Mfn{1}, frames - 1);
    nodes().add_frames(0, frames);
    init_scheduler("credit2");
    scheduler_add_online_cpus();
}

}  // namespace

PerCpu* per_cpu(CpuId cpu) { return cpu.raw < machine.cpus.size() ? machine.cpus[cpu.raw].get() : nullptr; }
unsigned online_cpus() { return static_cast<unsigned>(machine.cpus.size()); }

void raise_softirq_on(CpuId cpu, Softirq which) {
    machine.cpus[cpu.raw]->softirqs.fetch_or(1u << static_cast<unsigned>(which), std::memory_order_release);
    arch::interrupt_cpu(cpu);
}

namespace arch {

void host_machine_start(u64 frames, unsigned cpus) {
    if (machine.ram == nullptr) start(frames, cpus);
    host_become_cpu(CpuId{0});
    host_become_vcpu(nullptr);
    host_set_now(Nanoseconds{0});
    host_set_largest_physmap_order(18);
    host_guest_memory_clear();
    for (const auto& cpu : machine.cpus) cpu->softirqs.store(0);
}

void* to_virtual(Paddr address) { return machine.ram + address.raw; }
Paddr to_physical(const void* pointer) { return Paddr{static_cast<u64>(static_cast<const char*>(pointer) - machine.ram)}; }
Frame* frame_table() { return machine.frames.get(); }
bool is_ram(Mfn mfn) { return mfn.raw < machine.frame_count && machine.frames[mfn.raw].is_ram != 0; }
u64 frame_count() { return machine.frame_count; }

PerCpu* this_cpu_pointer() { return machine.cpus[cpu_of_thread].get(); }
void host_become_cpu(CpuId cpu) { cpu_of_thread = cpu.raw; }
void host_become_vcpu(Vcpu* vcpu) { this_cpu().current = vcpu; }

void interrupt_cpu(CpuId cpu) { ++machine.cpus[cpu.raw]->arch.interrupts; }
void call_on(const CpuMask& cpus, void (*function)(void*), void* context) {
    // One after the other, each as if on its CPU: the callers wait for all of them anyway.
    const u32 caller = cpu_of_thread;
    for (CpuId cpu : cpus) {
        host_become_cpu(cpu);
        function(context);
    }
    cpu_of_thread = caller;
}
void idle() { irq_enable(); }

}  // namespace arch
}  // namespace px
