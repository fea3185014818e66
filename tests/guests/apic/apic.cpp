// The local APIC in both modes: identity, self-IPIs, priorities, the timer, what x2APIC refuses.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/apic.hpp"
#include "tests/guests/common/guest.hpp"
#include "tests/guests/common/smp.hpp"
#include "tests/guests/common/xen.hpp"

namespace px::guest {

namespace {

constexpr u8 ipi_vector = 0x51, timer_vector = 0x61, low_vector = 0x45;
constexpr u32 self_shorthand = 1 << 18;
constinit std::atomic<u32> ipis{0}, ticks{0}, lows{0};

u32 bank(ApicReg first, unsigned vector) {
    return apic_read(static_cast<ApicReg>(static_cast<u32>(first) + vector / 32 * 16)) >> (vector % 32) & 1;
}

void identity() {
    const u32 id = apic_read(ApicReg::id);
    PX_CHECK_EQ(apic_is_x2() ? id : id >> 24, apic_id_of(cpu_number()));
    PX_CHECK_EQ(cpuid(1).ebx >> 24, apic_id_of(cpu_number()));
    const u32 version = apic_read(ApicReg::version);
    PX_CHECK((version & 0xff) >= 0x10 && (version & 0xff) <= 0x15);
    PX_CHECK((version >> 16 & 0xff) >= 3);
    PX_CHECK(rdmsr(apic_base_msr) & apic_base_bsp);
    PX_CHECK((rdmsr(apic_base_msr) & 0xf'ffff'f000) == apic_mmio);
}

void self_ipis() {
    const u32 before = ipis;
    send_ipi(apic_id_of(0), ipi_vector | ipi_assert);
    PX_CHECK(wait_for([&] { return ipis == before + 1; }));
    apic_write(ApicReg::icr, ipi_vector | ipi_assert | self_shorthand);
    PX_CHECK(wait_for([&] { return ipis == before + 2; }));

    interrupts_off();
    apic_write(ApicReg::icr, ipi_vector | ipi_assert | self_shorthand);
    PX_CHECK_EQ(bank(ApicReg::irr, ipi_vector), 1u);
    PX_CHECK_EQ(bank(ApicReg::isr, ipi_vector), 0u);
    interrupts_on();
    PX_CHECK(wait_for([&] { return ipis == before + 3; }));
    PX_CHECK_EQ(bank(ApicReg::irr, ipi_vector), 0u);
}

void priorities() {
    // Not the class of the vectors itself: QEMU 7.2 takes a virtual interrupt whose priority equals V_TPR as deliverable,
    // and a hypervisor that leaves the wait to V_TPR loops there.
    apic_write(ApicReg::tpr, 0x60);
    PX_CHECK_EQ(apic_read(ApicReg::tpr), 0x60u);
    PX_CHECK_EQ(apic_read(ApicReg::ppr), 0x60u);
    const u32 before = lows, before_ipis = ipis;
    apic_write(ApicReg::icr, low_vector | ipi_assert | self_shorthand);
    apic_write(ApicReg::icr, ipi_vector | ipi_assert | self_shorthand);
    for (unsigned i = 0; i < 1000; ++i) relax();
    PX_CHECK_EQ(lows.load(), before);
    PX_CHECK_EQ(ipis.load(), before_ipis);
    apic_write(ApicReg::tpr, 0);
    PX_CHECK(wait_for([&] { return lows == before + 1 && ipis == before_ipis + 1; }));
}

void task_priority_register() {
    u64 cr8;
    asm volatile("mov %1, %%cr8; mov %%cr8, %0" : "=r"(cr8) : "r"(u64{4}));
    PX_CHECK_EQ(cr8, u64{4});
    PX_CHECK_EQ(apic_read(ApicReg::tpr), 0x40u);
    asm volatile("mov %0, %%cr8" ::"r"(u64{0}));
}

/// Few instructions and no exit of any other kind: what CR8 held back comes by the write alone.
bool comes_soon(const std::atomic<u32>& count, u32 expected) {
    for (unsigned i = 0; i < 100 && count.load(std::memory_order_relaxed) != expected; ++i) asm volatile("" ::: "memory");
    return count == expected;
}

void interrupts_held_back_by_cr8() {
    for (const u64 priority : {u64{7}, u64{15}}) {
        const u32 before = ipis;
        asm volatile("mov %0, %%cr8" ::"r"(priority));
        apic_write(ApicReg::icr, ipi_vector | ipi_assert | self_shorthand);
        for (unsigned i = 0; i < 1000; ++i) relax();
        PX_CHECK_EQ(ipis.load(), before);
        asm volatile("mov %0, %%cr8" ::"r"(u64{6}));  // not the class of the vector itself: see priorities()
        for (unsigned i = 0; i < 1000; ++i) relax();
        PX_CHECK_EQ(ipis.load(), before);
        asm volatile("mov %0, %%cr8" ::"r"(u64{4}));
        PX_CHECK(comes_soon(ipis, before + 1));
        asm volatile("mov %0, %%cr8" ::"r"(u64{0}));
    }
}

void timer() {
    apic_write(ApicReg::timer_divide, 0xb);  // by 1
    apic_write(ApicReg::lvt_timer, timer_vector);
    const u32 before = ticks;
    const u64 start = system_time();
    apic_write(ApicReg::timer_initial, 2'000'000);
    const u32 counted = apic_read(ApicReg::timer_current);
    PX_CHECK(counted > 0 && counted <= 2'000'000);
    PX_CHECK(wait_for([&] { return ticks == before + 1; }));
    PX_CHECK(system_time() - start >= 1'000'000);  // at most 1 GHz and some slack: 2 ms
    PX_CHECK_EQ(apic_read(ApicReg::timer_current), 0u);

    apic_write(ApicReg::lvt_timer, timer_vector | lvt_periodic);
    apic_write(ApicReg::timer_initial, 1'000'000);
    PX_CHECK(wait_for([&] { return ticks >= before + 5; }));
    apic_write(ApicReg::lvt_timer, timer_vector | lvt_masked);
    apic_write(ApicReg::timer_initial, 0);
    const u32 stopped = ticks;
    for (unsigned i = 0; i < 100'000; ++i) relax();
    PX_CHECK(ticks - stopped <= 1);
}

void x2apic_rules() {
    PX_CHECK_EQ(apic_read(ApicReg::ldr), 1u);  // cluster 0, first of it
    PX_CHECK(probe_rdmsr(x2apic_msr(ApicReg::dfr)).faulted(fault_gp));
    PX_CHECK(probe_rdmsr(x2apic_msr(ApicReg::icr_high)).faulted(fault_gp));
    PX_CHECK(probe_rdmsr(x2apic_msr(ApicReg::eoi)).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(x2apic_msr(ApicReg::eoi), 1).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(x2apic_msr(ApicReg::id), 0).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(x2apic_msr(ApicReg::tpr), 0x100).faulted(fault_gp));
    PX_CHECK(probe_wrmsr(apic_base_msr, (rdmsr(apic_base_msr) & ~apic_base_x2)).faulted(fault_gp));  // only through "disabled"
    const u32 before = ipis;
    apic_write(ApicReg::self_ipi, ipi_vector);
    PX_CHECK(wait_for([&] { return ipis == before + 1; }));
}

}  // namespace

void guest_main() {
    set_handler(ipi_vector, [](Frame&) {
        ++ipis;
        apic_eoi();
    });
    set_handler(timer_vector, [](Frame&) {
        ++ticks;
        apic_eoi();
    });
    set_handler(low_vector, [](Frame&) {
        ++lows;
        apic_eoi();
    });
    for (bool x2 : {false, true}) {
        if (x2) apic_enter_x2();
        PX_CHECK_EQ(apic_is_x2(), x2);
        apic_enable();
        interrupts_on();
        PX_PART(identity());
        PX_PART(self_ipis());
        PX_PART(interrupts_held_back_by_cr8());
        PX_PART(priorities());
        PX_PART(task_priority_register());
        PX_PART(timer());
        if (x2) PX_PART(x2apic_rules());
        interrupts_off();
    }
}

}  // namespace px::guest
