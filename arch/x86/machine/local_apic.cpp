// The host's local APIC.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/local_apic.hpp"

#include "arch/cpu.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/io.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/traps/trap_frame.hpp"

namespace px::arch {
namespace {

constexpr u64 apic_base_x2 = 1u << 10, apic_base_enable = 1u << 11, apic_base_address = 0xf'ffff'ffff'f000;
constinit bool x2apic = false;
constinit bool ready = false;
Mmio registers;

void send_command(u32 apic_id, u32 low) {
    if (x2apic) {
        asm volatile("mfence; lfence" ::: "memory");  // earlier stores first: the MSR write isn't serialising
        write_msr(msr::x2apic_first + apic::command_low / 16, u64{apic_id} << 32 | low);
        return;
    }
    constexpr u32 busy = 1u << 12;
    const IrqState state = irq_save();
    while ((registers.read32(apic::command_low) & busy) != 0) cpu_relax();
    registers.write32(apic::command_high, apic_id << 24);
    registers.write32(apic::command_low, low);
    irq_restore(state);
}

}  // namespace

Result<> init_local_apic(bool may_use_x2) {
    const u64 base = read_msr(msr::apic_base);
    const bool has_x2 = (host_cpuid(1).ecx >> 21 & 1) != 0;
    const bool on_already = (base & apic_base_x2) != 0;
    x2apic = (has_x2 && may_use_x2) || on_already;
    if (!x2apic) registers = Mmio(TRY(map_physical(Paddr{base & apic_base_address}, page_size, Cache::uncached, true)));
    ready = true;
    return {};
}

void enable_local_apic() {
    write_msr(msr::apic_base, read_msr(msr::apic_base) | apic_base_enable | (x2apic ? apic_base_x2 : 0));
    local_apic_write(apic::spurious, 0x100 | vector::spurious);
    local_apic_write(apic::task_priority, 0);
    for (const auto source : {apic::lvt_timer, apic::lvt_lint0, apic::lvt_thermal, apic::lvt_performance}) {
        const unsigned last_lvt = local_apic_read(apic::version) >> 16 & 0xff;
        if (source == apic::lvt_thermal && last_lvt < 5) continue;
        local_apic_write(source, apic::masked);
    }
    local_apic_write(apic::lvt_lint1, apic::delivery_nmi);
    local_apic_write(apic::lvt_error, apic::masked);
}

bool local_apic_is_x2() { return x2apic; }
u32 local_apic_id() { return x2apic ? local_apic_read(apic::id) : local_apic_read(apic::id) >> 24; }

u32 local_apic_read(apic::Register which) {
    return x2apic ? static_cast<u32>(read_msr(msr::x2apic_first + which / 16u)) : registers.read32(which);
}
void local_apic_write(apic::Register which, u32 value) {
    if (x2apic) write_msr(msr::x2apic_first + which / 16u, value);
    else registers.write32(which, value);
}

void local_apic_eoi() { local_apic_write(apic::eoi, 0); }
void local_apic_send(u32 apic_id, u8 vector) { send_command(apic_id, apic::level_assert | vector); }
void local_apic_send_init(u32 apic_id) { send_command(apic_id, apic::level_assert | apic::delivery_init); }
void local_apic_send_startup(u32 apic_id, u8 page) { send_command(apic_id, apic::level_assert | apic::delivery_startup | page); }
void local_apic_nmi_all_others() {
    if (ready) send_command(0, apic::level_assert | apic::all_but_self | apic::delivery_nmi);
}

}  // namespace px::arch
