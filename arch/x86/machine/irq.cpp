// Device interrupts of the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/irq.hpp"

#include <array>
#include <atomic>

#include "arch/x86/machine/local_apic.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px::arch {
namespace {

/// Who has which vector of one CPU. Taken and given back by exchanging the pointer: no lock.
struct VectorTable {
    std::array<std::atomic<InterruptTarget*>, vector::last_device - vector::first_device + 1> targets{};
    std::atomic<u32> next{0};  ///< where the search begins: a vector just given back rests for a while
};

constinit std::array<VectorTable*, max_cpus> tables{};
constexpr u32 last_reachable_id = 254;  ///< a message without remapping has 8 bits for it, and 255 means all CPUs

bool is_reserved(u8 number) { return number == vector::int80 || number == 0x82; }  // system calls of PV guests

void handle_device_interrupt(u8 number) {
    VectorTable* const table = tables[this_cpu().id.raw];
    if (auto* const target = table->targets[number - vector::first_device].load(std::memory_order_acquire)) target->interrupt();
    local_apic_eoi();
}

Result<InterruptRoute> bind_on(CpuId cpu, InterruptTarget& target) {
    VectorTable* const table = tables[cpu.raw];
    const PerCpu* const block = per_cpu(cpu);
    REQUIRE(table != nullptr && block != nullptr && block->arch.apic_id <= last_reachable_id, enospc);
    const u32 count = static_cast<u32>(table->targets.size());
    const u32 start = table->next.load(std::memory_order_relaxed);
    for (u32 i = 0; i < count; ++i) {
        const u32 index = (start + i) % count;
        const u8 number = static_cast<u8>(vector::first_device + index);
        InterruptTarget* free = nullptr;
        if (is_reserved(number) || !table->targets[index].compare_exchange_strong(free, &target, std::memory_order_acq_rel)) continue;
        table->next.store(index + 1, std::memory_order_relaxed);
        return InterruptRoute{cpu, static_cast<u8>(block->arch.apic_id), number};
    }
    return Err{Errno::enospc};
}

}  // namespace

Result<> init_interrupt_vectors() {
    for (u32 i = 0; i < online_cpus(); ++i) tables[i] = TRY(make<VectorTable>()).release();
    for (unsigned number = vector::first_device; number <= vector::last_device; ++number) {
        set_interrupt_handler(static_cast<u8>(number), handle_device_interrupt);
    }
    return {};
}

Result<InterruptRoute> bind_interrupt(InterruptTarget& target, CpuId preferred) {
    const u32 cpus = online_cpus();
    for (u32 i = 0; i < cpus; ++i) {
        const auto route = bind_on(CpuId{(preferred.raw + i) % cpus}, target);
        if (route) return route;
    }
    return Err{Errno::enospc};
}

void unbind_interrupt(const InterruptRoute& route) {
    if (route.bound()) tables[route.cpu.raw]->targets[route.vector - vector::first_device].store(nullptr, std::memory_order_release);
}

}  // namespace px::arch
