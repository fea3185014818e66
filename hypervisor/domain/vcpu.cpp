// A virtual CPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/vcpu.hpp"

#include <cstddef>

#include "arch/frame_access.hpp"
#include "arch/guest_memory.hpp"
#include "arch/smp.hpp"
#include "hypervisor/cpu/cpu_loop.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {
namespace {

/// Where a vCPU's timers live before it ever ran: spread over the CPUs.
TimerQueue& home_queue(const Domain& domain, VcpuId id) { return per_cpu(CpuId{(domain.id.raw + id.raw) % online_cpus()})->timers; }

}  // namespace

Vcpu::Vcpu(Domain& owner, VcpuId number)
    : domain(owner),
      id(number),
      unit(*this, owner.group, number),
      timer_home_(home_queue(owner, number)),
      affinity(*this),
      singleshot_timer(timer_home_, singleshot_expired, this),
      periodic_timer(timer_home_, periodic_expired, this),
      poll_timer(timer_home_, poll_expired, this),
      arch(*this) {
    auto* shared = static_cast<abi::SharedInfo*>(owner.shared_info());
    info_ = number.raw < abi::arch::legacy_max_vcpus ? &shared->vcpu_info[number.raw] : &nowhere();
}

Vcpu::~Vcpu() {
    stop_timers();
    drop_info();
}

abi::VcpuInfo& Vcpu::nowhere() {
    static constinit abi::VcpuInfo info{};
    return info;
}

void Vcpu::stop_timers() {
    periodic_period = Nanoseconds{0};
    singleshot_timer.cancel_sync();
    periodic_timer.cancel_sync();
    poll_timer.cancel_sync();
}

Vcpu& Vcpu::of(sched::Unit& unit) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // no virtual bases: the offset is a constant
    constexpr usize offset = __builtin_offsetof(Vcpu, unit);
#pragma GCC diagnostic pop
    return *reinterpret_cast<Vcpu*>(reinterpret_cast<char*>(&unit) - offset);
}

Vcpu& current_vcpu() { return *this_cpu().current; }

/// Tells the scheduler what is_runnable() says. Both orders of two racing calls end with the later truth, because the
/// scheduler's calls may be repeated and each caller looks after its own change.
void Vcpu::update_runnable() {
    const bool may_run = is_runnable();
    if (!unit.on_cpu()) {
        const bool off = is_halted(down) || !may_run;
        runstate.change(may_run                                             ? abi::Runstate::runnable
                        : off && !is_halted(blocked) && !is_halted(polling) ? abi::Runstate::offline
                                                                            : abi::Runstate::blocked,
                        arch::now());
    }
    if (may_run) scheduler().wake(unit);
    else scheduler().sleep(unit);
    if (is_runnable() != may_run) update_runnable();
}

void Vcpu::halt(Halt why) {
    const u32 before = halts_.fetch_or(why, std::memory_order_acq_rel);
    if (why == polling && (before & polling) == 0) domain.events.pollers.fetch_add(1, std::memory_order_seq_cst);
    update_runnable();
}

void Vcpu::resume(Halt why) {
    if ((halts_.fetch_and(~u32{why}, std::memory_order_acq_rel) & why) == 0) return;
    if (why == polling) domain.events.pollers.fetch_sub(1, std::memory_order_seq_cst);
    update_runnable();
}

void Vcpu::wait_until_off_cpu() {
    PX_ASSERT(this_cpu().current != this);
    while (unit.on_cpu()) arch::cpu_relax();
}

void Vcpu::pause_nosync() {
    pause_count_.fetch_add(1, std::memory_order_acq_rel);
    update_runnable();
}
void Vcpu::pause() {
    pause_nosync();
    wait_until_off_cpu();
}
void Vcpu::unpause() {
    const u32 before = pause_count_.fetch_sub(1, std::memory_order_acq_rel);
    PX_ASSERT(before != 0);
    if (before == 1) update_runnable();
}

void Vcpu::kick() {
    resume(blocked);
    if (is_halted(polling)) {
        poll_timer.cancel();
        resume(polling);
    }
    if (unit.on_cpu()) arch::kick(*this);
}

void Vcpu::block() {
    halts_.fetch_or(blocked, std::memory_order_seq_cst);
    // An event that came before the halt was noted finds us here; one that comes after it takes the halt away.
    if (arch::deliverable(*this)) {
        halts_.fetch_and(~u32{blocked}, std::memory_order_acq_rel);
        return;
    }
    update_runnable();
}

void Vcpu::event_sent(EvtPort port) {
    if (!is_halted(polling)) return;
    if (poll_port.raw != 0 && poll_port != port) return;
    poll_timer.cancel();
    resume(polling);
}

void Vcpu::write_runstate(Nanoseconds now) {
    abi::VcpuRunstateInfo snapshot = runstate.snapshot(now);
    const u64 stamp_at = runstate.guest_area + __builtin_offsetof(abi::VcpuRunstateInfo, state_entry_time);
    // Other vCPUs may be reading: where the guest has asked for it, the stamp says so until the rest is written.
    const bool guarded = (domain.vm_assist >> static_cast<u32>(abi::VmassistType::runstate_update_flag) & 1) != 0;
    if (guarded) {
        snapshot.state_entry_time |= abi::runstate_update;
        if (!arch::copy_to_guest(stamp_at, &snapshot.state_entry_time, sizeof snapshot.state_entry_time)) return;
    }
    if (!arch::copy_to_guest(runstate.guest_area, &snapshot, sizeof snapshot) || !guarded) return;
    snapshot.state_entry_time &= ~abi::runstate_update;
    (void)arch::copy_to_guest(stamp_at, &snapshot.state_entry_time, sizeof snapshot.state_entry_time).ok();
}

void Vcpu::entered_cpu(Nanoseconds now) {
    runstate.change(abi::Runstate::running, now);
    publish_vcpu_time(*this);
    if (runstate.guest_area != 0) write_runstate(now);
}

void Vcpu::left_cpu(Nanoseconds now) {
    const u32 why = halts_.load(std::memory_order_acquire);
    const auto state = (why & down) != 0                  ? abi::Runstate::offline
                       : (why & (blocked | polling)) != 0 ? abi::Runstate::blocked
                       : is_runnable()                    ? abi::Runstate::runnable
                                                          : abi::Runstate::offline;
    runstate.change(state, now);
}

Result<> Vcpu::register_info(Gfn gfn, u32 offset) {
    REQUIRE(offset % alignof(abi::VcpuInfo) == 0 && offset <= page_size - sizeof(abi::VcpuInfo), einval);
    REQUIRE(!info_frame_, einval);
    // Only the vCPU itself, or another one while it is down, moves the structure: nobody reads the old one meanwhile.
    REQUIRE(this_cpu().current == this || is_halted(down), einval);
    FrameRef frame = TRY(domain.physmap.get_frame(gfn, true));
    TRY(arch::hold_writable(*frame));
    auto* const fresh = reinterpret_cast<abi::VcpuInfo*>(static_cast<char*>(frame.data()) + offset);
    if (info_ == &nowhere()) {
        *fresh = {};
        fresh->evtchn_upcall_mask = 1;
    } else {
        *fresh = *info_;
    }
    info_frame_ = std::move(frame);
    __atomic_store_n(&info_, fresh, __ATOMIC_SEQ_CST);
    // What was sent to the old place meanwhile must not be lost: every port is looked at once more.
    fresh->evtchn_pending_sel = ~u64{0};
    fresh->evtchn_upcall_pending = 1;
    arch::set_upcall(*this);
    publish_vcpu_time(*this);
    return {};
}

void Vcpu::drop_info() {
    info_ = &nowhere();
    if (!info_frame_) return;
    arch::drop_writable(*info_frame_);
    info_frame_.reset();
}

void Vcpu::singleshot_expired(void* context, Nanoseconds) {
    Vcpu& self = *static_cast<Vcpu*>(context);
    self.domain.events.notify_vcpu_virq(self, abi::Virq::timer);
}

void Vcpu::periodic_expired(void* context, Nanoseconds now) {
    Vcpu& self = *static_cast<Vcpu*>(context);
    self.domain.events.notify_vcpu_virq(self, abi::Virq::timer);
    if (self.periodic_period.raw == 0) return;
    const Nanoseconds next = self.periodic_timer.deadline() + self.periodic_period;
    self.periodic_timer.arm(next > now ? next : now + self.periodic_period);
}

void Vcpu::poll_expired(void* context, Nanoseconds) { static_cast<Vcpu*>(context)->resume(polling); }

}  // namespace px
