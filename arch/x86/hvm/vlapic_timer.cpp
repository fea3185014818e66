// The virtual local APIC's timer and interrupt commands.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/time.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/startup.hpp"
#include "arch/x86/hvm/vlapic.hpp"
#include "arch/x86/machine/clock.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

constexpr Nanoseconds shortest_period{100'000};  ///< a guest that asks for less must not keep the host busy
constexpr i64 bus_period_ns = 10;                ///< the virtual bus runs at 100 MHz, as the reference's
enum TimerMode : u32 { one_shot = 0, periodic = 1, deadline = 2 };

namespace command {
constexpr u64 logical = 1u << 11, level_assert = 1u << 14;
constexpr unsigned mode_shift = 8, shorthand_shift = 18;
enum Mode : u32 { fixed = 0, lowest = 1, smi = 2, nmi = 4, init = 5, startup = 6 };
enum Shorthand : u32 { none = 0, self = 1, all = 2, all_others = 3 };
}  // namespace command

}  // namespace

unsigned VirtualLocalApic::divisor_shift() const {
    const u32 divide = page_->get(arch::apic::timer_divide), code = (divide & 3) | (divide >> 1 & 4);
    return (code + 1) & 7;
}

Nanoseconds VirtualLocalApic::period() const {
    const Nanoseconds asked{static_cast<i64>(timer_initial()) * bus_period_ns << divisor_shift()};
    return timer_mode_ == periodic ? std::max(asked, shortest_period) : asked;
}

u32 VirtualLocalApic::current_count() const {
    const i64 initial = timer_initial();
    if (initial == 0 || timer_mode_ == deadline) return 0;
    const i64 ticks = (arch::now() - timer_started_).raw / (bus_period_ns << divisor_shift());
    if (timer_mode_ == periodic) return static_cast<u32>(initial - ticks % initial);
    return ticks >= initial ? 0 : static_cast<u32>(initial - ticks);
}

void VirtualLocalApic::start_timer() {
    if (timer_initial() == 0 || timer_mode_ == deadline) {
        if (timer_mode_ != deadline) timer_.cancel();
        return;
    }
    timer_started_ = arch::now();
    timer_.arm(timer_started_ + period());
}

void VirtualLocalApic::resume_timer(u32 count) {
    timer_.cancel();
    if (timer_initial() == 0) return;
    const Nanoseconds rest = std::min(Nanoseconds{static_cast<i64>(count) * bus_period_ns << divisor_shift()}, period());
    timer_started_ = arch::now() + rest - period();
    if (count != 0 || timer_mode_ == periodic) timer_.arm(arch::now() + rest);  // a one-shot timer at 0 has fired
}

void VirtualLocalApic::set_tsc_deadline(u64 value) {
    if (timer_mode_ != deadline) return;
    tsc_deadline_ = value;
    if (value == 0) {
        timer_.cancel();
        return;
    }
    const u64 guest_tsc = arch::read_tsc() + vcpu_.arch.tsc_offset;
    // Half of all ticks: more than a century, and no overflow on the way to nanoseconds.
    const u64 ticks = std::min(value > guest_tsc ? value - guest_tsc : 0, u64{1} << 62);
    timer_.arm(arch::now() + Nanoseconds{static_cast<i64>(arch::scale_ticks(ticks, arch::tsc_scale()))});
}

void VirtualLocalApic::timer_callback(void* context, Nanoseconds) { static_cast<VirtualLocalApic*>(context)->timer_expired(); }

void VirtualLocalApic::timer_expired() {
    const u32 entry = page_->get(arch::apic::lvt_timer);
    if (timer_mode_ == deadline) tsc_deadline_ = 0;
    if ((entry & arch::apic::masked) == 0 && enabled_by_software()) request(static_cast<u8>(entry), false);
    if (timer_mode_ != periodic || timer_initial() == 0) return;
    const Nanoseconds now = arch::now();
    timer_started_ = timer_started_ + period();
    if (timer_started_ + period() <= now) timer_started_ = now;  // lost ticks are not made up for
    timer_.arm(timer_started_ + period());
}

template <class Visitor>
void VirtualLocalApic::for_each_target(u64 value, Visitor visit) {
    const u32 shorthand = value >> command::shorthand_shift & 3;
    const u32 destination = static_cast<u32>(is_x2() ? value >> 32 : value >> 56);
    for (u32 i = 0; i < vcpu_.domain.settings.max_vcpus; ++i) {
        Vcpu* const target = vcpu_.domain.vcpu(VcpuId{i});
        if (target == nullptr) continue;
        const bool itself = target == &vcpu_;
        const bool chosen = shorthand == command::none   ? target->arch.apic.matches(destination, (value & command::logical) != 0)
                            : shorthand == command::self ? itself
                                                         : shorthand == command::all || !itself;
        if (chosen && !visit(*target)) return;
    }
}

void VirtualLocalApic::write_command(u64 value) {
    const u32 mode = value >> command::mode_shift & 7;
    switch (mode) {
    case command::fixed:
    case command::lowest: return send_interrupt(value);
    case command::nmi:
        return for_each_target(value, [](Vcpu& target) {
            target.arch.nmi_pending = true;
            target.kick();
            return true;
        });
    case command::init:
    case command::startup: return start_startup(value);
    default: return;
    }
}

void VirtualLocalApic::send_interrupt(u64 value) {
    const u8 vector = static_cast<u8>(value);
    if (vector < 16) {
        pending_error_ |= 1u << 5;
        return;
    }
    const bool only_one = (value >> command::mode_shift & 7) == command::lowest;
    for_each_target(value, [&](Vcpu& target) {
        if (target.arch.apic.enabled_by_software()) target.arch.apic.request(vector, false);
        return !only_one;
    });
}

void VirtualLocalApic::start_startup(u64 value) {
    const bool init = (value >> command::mode_shift & 7) == command::init;
    // INIT with level 0 only synchronises arbitration ids on old processors.
    if (init && (value & command::level_assert) == 0 && (value >> 15 & 1) != 0) return;
    for_each_target(value, [&](Vcpu& target) {
        if (&target == &vcpu_) return true;
        if (init) init_vcpu(target);
        else startup_vcpu(target, static_cast<u8>(value));
        return true;
    });
}

VirtualLocalApic::Saved VirtualLocalApic::save() const {
    Saved saved{base_, tsc_deadline_, {}};
    for (u32 i = 0; i < saved.registers.size(); ++i) saved.registers[i] = read(i * 16);
    return saved;
}

void VirtualLocalApic::restore(const Saved& saved) {
    base_ = saved.base;
    const auto reg = [&](u32 offset) { return saved.registers[offset / 16]; };
    namespace apic = arch::apic;
    ApicPage& page = *page_;
    forget_posted();
    for (u32 offset = apic::task_priority; offset < 0x400; offset += 16) page.set(offset, reg(offset));
    page.set(apic::task_priority, reg(apic::task_priority) & 0xff);
    page.set(apic::destination_format, reg(apic::destination_format) | 0x0fffffff);
    page.set(apic::spurious, reg(apic::spurious) & 0x1ff);
    page.set(apic::timer_divide, reg(apic::timer_divide) & 0xb);
    show_identity();
    timer_mode_ = page.get(apic::lvt_timer) >> 17 & 3;
    waiting_ = page.highest(apic::request) >= 0;
    changed_ = true;
    tsc_deadline_ = saved.tsc_deadline;
    if (timer_mode_ == deadline) set_tsc_deadline(tsc_deadline_);
    else resume_timer(reg(apic::timer_current));
}

}  // namespace px::hvm
