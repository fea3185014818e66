// Time: the pvclock, one-shot and periodic timers, set_timer_op, blocking until a timer fires, the wall clock.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/events.hpp"
#include "tests/guests/common/guest.hpp"

namespace px::guest {

namespace {

constexpr u64 ms = 1'000'000;
constinit u32 timer_port = 0;
constinit std::atomic<u32> ticks{0};
constinit std::atomic<u64> last_tick{0};

void on_event() {
    shared_info().vcpu_info[0].evtchn_pending_sel = 0;
    if (!port_pending(timer_port)) return;
    clear_port(timer_port);
    last_tick = system_time();
    ++ticks;
}

/// Spins until `count` ticks have come since `before` or the time is over.
bool await_ticks(u32 before, u32 count, u64 deadline) {
    while (ticks - before < count && system_time() < deadline) relax();
    return ticks - before >= count;
}

void monotonic() {
    u64 last = system_time(), steps_back = 0, still = 0;
    for (unsigned i = 0; i < 20'000; ++i) {
        const u64 now = system_time();
        steps_back += now < last;
        still += now == last;
        last = now;
    }
    PX_CHECK_EQ(steps_back, u64{0});
    PX_CHECK(still < 19'000);  // it does advance

    const u64 clock = system_time(), counter = rdtsc();
    while (system_time() - clock < 50 * ms) relax();
    const abi::VcpuTimeInfo& info = shared_info().vcpu_info[0].time;
    u64 passed = rdtsc() - counter;
    passed = info.tsc_shift < 0 ? passed >> -info.tsc_shift : passed << info.tsc_shift;
    passed = static_cast<u64>((static_cast<unsigned __int128>(passed) * info.tsc_to_system_mul) >> 32);
    PX_CHECK(passed >= 49 * ms && passed < 400 * ms);  // the scale that is published now fits what was measured
    PX_CHECK(info.version % 2 == 0 && info.tsc_to_system_mul != 0);
}

void single_shot() {
    const u32 before = ticks;
    const u64 due = system_time() + 20 * ms;
    abi::VcpuSetSingleshotTimer timer{due, 0};
    PX_CHECK_EQ(call(abi::VcpuOp::set_singleshot_timer, 0, &timer), i64{0});
    PX_CHECK(await_ticks(before, 1, due + 3000 * ms));
    PX_CHECK(last_tick + clock_slack >= due);
    PX_CHECK_EQ(ticks - before, 1u);

    // A time gone by fires at once; since 4.11 the flag that asked for an error instead has no effect.
    for (u32 flags : {0u, abi::singleshot_timer_future}) {
        const u32 count = ticks;
        timer = {due, flags};
        PX_CHECK_EQ(call(abi::VcpuOp::set_singleshot_timer, 0, &timer), i64{0});
        PX_CHECK(await_ticks(count, 1, system_time() + 3000 * ms));
    }

    timer = {system_time() + 30 * ms, 0};
    PX_CHECK_EQ(call(abi::VcpuOp::set_singleshot_timer, 0, &timer), i64{0});
    PX_CHECK_EQ(call(abi::VcpuOp::stop_singleshot_timer, 0), i64{0});
    const u64 end = system_time() + 60 * ms;
    while (system_time() < end) relax();
    PX_CHECK_EQ(ticks - before, 3u);
    PX_CHECK_EQ(call(abi::VcpuOp::set_singleshot_timer, 1, &timer), minus(Errno::enoent));
}

/// HLT ends with the timer's event.
void halted() {
    const u32 before = ticks;
    const u64 due = system_time() + 20 * ms;
    abi::VcpuSetSingleshotTimer timer{due, 0};
    interrupts_off();
    PX_CHECK_EQ(call(abi::VcpuOp::set_singleshot_timer, 0, &timer), i64{0});
    while (ticks == before) {
        halt();  // sti takes effect after hlt has begun, so no tick is lost between
        interrupts_off();
    }
    interrupts_on();
    PX_CHECK(last_tick + clock_slack >= due);
}

/// Counts only while the vCPU runs: the periodic timer wakes nobody.
void periodic() {
    abi::VcpuSetPeriodicTimer timer{10};
    PX_CHECK_EQ(call(abi::VcpuOp::set_periodic_timer, 0, &timer), minus(Errno::einval));  // below a millisecond
    const u32 before = ticks;
    const u64 start = system_time();
    timer = {10 * ms};
    PX_CHECK_EQ(call(abi::VcpuOp::set_periodic_timer, 0, &timer), i64{0});
    PX_CHECK(await_ticks(before, 5, start + 5000 * ms));
    PX_CHECK(system_time() - start >= 40 * ms);
    PX_CHECK_EQ(call(abi::VcpuOp::stop_periodic_timer, 0), i64{0});
    const u32 stopped = ticks;
    const u64 end = system_time() + 50 * ms;
    while (system_time() < end) relax();
    PX_CHECK(ticks - stopped <= 1);
}

void by_set_timer_op() {
    const u32 before = ticks;
    const u64 due = system_time() + 15 * ms;
    PX_CHECK_EQ(hypercall(abi::hypercall::set_timer_op, due), i64{0});
    PX_CHECK(await_ticks(before, 1, due + 3000 * ms));
    PX_CHECK(last_tick + clock_slack >= due);
}

void wall_clock() {
    const abi::SharedInfo& info = shared_info();
    PX_CHECK(info.wc_version % 2 == 0);
    const u64 seconds = u64{info.wc_sec_hi} << 32 | info.wc_sec;
    PX_CHECK(seconds > 1'600'000'000 && seconds < 5'000'000'000);  // at boot, since 1970
    PX_CHECK(info.wc_nsec < 1'000'000'000);
}

}  // namespace

void guest_main() {
    for (u64& word : shared_info().evtchn_mask) word = ~u64{0};
    const i64 port = bind_virq(abi::Virq::timer, 0);
    PX_CHECK(port > 0);
    timer_port = static_cast<u32>(port);
    enable_upcalls(0x30, on_event);
    unmask_port(timer_port);
    call(abi::VcpuOp::stop_periodic_timer, 0);
    interrupts_on();
    PX_PART(monotonic());
    PX_PART(single_shot());
    PX_PART(halted());
    PX_PART(periodic());
    PX_PART(by_set_timer_op());
    PX_PART(wall_clock());
    interrupts_off();
}

}  // namespace px::guest
