// The nanosecond clock.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/clock.hpp"

#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/cmos_date.hpp"
#include "arch/x86/machine/io.hpp"
#include "arch/x86/machine/local_apic.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "drivers/calibrate.hpp"
#include "drivers/hpet.hpp"
#include "drivers/pit.hpp"
#include "drivers/pm_timer.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::arch {
namespace {

constinit u64 khz = 0;
constinit TickScale scale{0, 0};
constinit u64 boot_tsc = 0;
constinit bool stable = false;
constinit bool tsc_deadline = false;
constinit u64 apic_ticks_per_ms = 0;  ///< at divide by 16
constinit WallClock boot_wall{};

template <class Clock>
bool measure(Clock& clock, const char* name) {
    const auto measured = calibrate_tsc(clock, read_tsc);
    if (!measured) {
        log_warning("{} can't calibrate the TSC (error {})", name, measured.error());
        return false;
    }
    khz = *measured;
    log_info("TSC: {}.{:03} MHz by {}", khz / 1000, khz % 1000, name);
    return true;
}

bool measure_by_hpet() {
    if (!acpi_tables().hpet) return false;
    const auto memory = map_physical(acpi_tables().hpet->address, hpet::window, Cache::uncached, true);
    if (!memory) return false;
    auto hpet = Hpet<Mmio>::open(Mmio(*memory));
    return hpet.ok() && measure(*hpet, "HPET");
}

bool measure_by_pm_timer() {
    const auto& fixed = acpi_tables().fixed;
    if (!fixed || !acpi::is_port(fixed->pm_timer)) return false;
    PmTimer<Ports> timer(Ports{}, static_cast<u16>(fixed->pm_timer.address), fixed->flags.timer_32_bit);
    return measure(timer, "PM timer");
}

bool measure_by_pit() {
    Pit<Ports> pit{Ports{}};
    pit.start();
    const bool good = measure(pit, "PIT");
    pit.stop();
    return good;
}

bool measure_by(cmdline::ClockSource source) {
    switch (source) {
    case cmdline::ClockSource::automatic: return false;
    case cmdline::ClockSource::hpet: return measure_by_hpet();
    case cmdline::ClockSource::acpi: return measure_by_pm_timer();
    case cmdline::ClockSource::pit: return measure_by_pit();
    }
    return false;
}

void handle_timer(u8) {
    local_apic_eoi();
    raise_softirq(Softirq::timer);
}

void calibrate_apic_timer() {
    constexpr u32 divide_by_16 = 3;
    local_apic_write(apic::timer_divide, divide_by_16);
    local_apic_write(apic::lvt_timer, apic::masked | vector::timer);
    local_apic_write(apic::timer_initial, ~u32{0});
    const u64 start = read_tsc();
    while (read_tsc() - start < khz * 10) cpu_relax();
    const u64 ticks = ~u32{0} - local_apic_read(apic::timer_current);
    const u64 elapsed = read_tsc() - start;
    local_apic_write(apic::timer_initial, 0);
    apic_ticks_per_ms = std::max<u64>(1, ticks * khz / elapsed);
}

}  // namespace

u64 tsc_khz() { return khz; }
TickScale tsc_scale() { return scale; }
u64 boot_tsc_value() { return boot_tsc; }
bool tsc_is_stable() { return stable; }
void note_tsc_unstable() { stable = false; }

Nanoseconds time_at(u64 tsc) { return Nanoseconds{static_cast<i64>(scale_ticks(tsc - boot_tsc, scale))}; }

Nanoseconds now() {
    if (scale.multiplier == 0) return Nanoseconds{0};
    return time_at(read_tsc_ordered());
}

WallClock wall_clock() { return boot_wall; }

void delay(Nanoseconds duration) {
    const Nanoseconds end = now() + duration;
    while (now() < end) cpu_relax();
}

u64 read_cmos_clock() {
    const auto read = [](u8 index) {
        out8(0x70, index);
        return in8(0x71);
    };
    const u8 century = acpi_tables().fixed ? acpi_tables().fixed->century : 0;
    const auto snapshot = [&] {
        while ((read(10) & 0x80) != 0) cpu_relax();  // an update is under way
        return CmosTime{read(0), read(2), read(4), read(7), read(8), read(9), century != 0 ? read(century) : u8{0}, read(11)};
    };
    CmosTime last = snapshot();
    for (CmosTime next = snapshot(); next != last; next = snapshot()) last = next;
    return seconds_since_1970(last);
}

void init_clock(cmdline::ClockSource wanted) {
    if (!measure_by(wanted) && !measure_by_hpet() && !measure_by_pm_timer() && !measure_by_pit()) panic("no clock to measure the TSC by");
    scale = make_scale(khz);
    boot_tsc = read_tsc();
    stable = (cpuid(0x80000000).eax >= 0x80000007) && (host_cpuid(0x80000007).edx >> 8 & 1) != 0;
    boot_wall = {read_cmos_clock(), 0};
    tsc_deadline = (host_cpuid(1).ecx >> 24 & 1) != 0;
    set_interrupt_handler(vector::timer, handle_timer);
    if (!tsc_deadline) calibrate_apic_timer();
}

void init_cpu_timer() {
    if (tsc_deadline) {
        local_apic_write(apic::lvt_timer, apic::timer_tsc_deadline | vector::timer);
        asm volatile("mfence" ::: "memory");
        return;
    }
    constexpr u32 divide_by_16 = 3;
    local_apic_write(apic::timer_divide, divide_by_16);
    local_apic_write(apic::lvt_timer, vector::timer);
}

void program_timer(Nanoseconds deadline) {
    if (deadline == Nanoseconds::never()) {
        if (tsc_deadline) write_msr(msr::tsc_deadline, 0);
        else local_apic_write(apic::timer_initial, 0);
        return;
    }
    const i64 wait = std::max<i64>((deadline - now()).raw, 0);
    if (wait == 0) raise_softirq(Softirq::timer);
    if (tsc_deadline) {
        const u64 capped = static_cast<u64>(std::min<i64>(wait, 1'000'000'000));
        write_msr(msr::tsc_deadline, read_tsc() + capped * khz / 1'000'000 + 1);
        return;
    }
    const u64 ticks = static_cast<u64>(std::min<i64>(wait, 1'000'000'000)) * apic_ticks_per_ms / 1'000'000 + 1;
    local_apic_write(apic::timer_initial, static_cast<u32>(std::min<u64>(ticks, ~u32{0})));
}

}  // namespace px::arch
