// A virtual CPU: what the hypervisor knows of it whatever the architecture.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "arch/vcpu.hpp"
#include "hypervisor/abi/vcpu.hpp"
#include "hypervisor/abi/xen.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/domain/affinity.hpp"
#include "hypervisor/domain/runstate.hpp"
#include "hypervisor/mm/frame.hpp"
#include "hypervisor/sched/unit.hpp"
#include "hypervisor/time/timer.hpp"

namespace px {

class Domain;
class Vcpu;

/// A scheduler's unit that knows its vCPU.
struct VcpuUnit : sched::Unit {
    VcpuUnit(Vcpu& owner, sched::Group& group, VcpuId id) : Unit(group, id), vcpu(&owner) {}
    Vcpu* const vcpu;
};

class Vcpu {
public:
    Vcpu(Domain& owner, VcpuId number);
    ~Vcpu();
    Vcpu(const Vcpu&) = delete;
    Vcpu& operator=(const Vcpu&) = delete;

    Domain& domain;
    const VcpuId id;
    VcpuUnit unit;
    TimerQueue& timer_home_;

    /// Why it can't run; it is runnable while the word is 0 and its domain isn't paused.
    enum Halt : u32 {
        down = 1,     ///< not (yet) brought up: VCPUOP_up, INIT/SIPI
        blocked = 2,  ///< SCHEDOP_block, HLT: until an event or interrupt is deliverable
        polling = 4,  ///< SCHEDOP_poll: until one of the ports fires or time runs out
        waiting = 8,  ///< for a device model; replayed when it has answered
    };
    bool is_runnable() const;
    bool is_halted(Halt why) const { return (halts_.load(std::memory_order_acquire) & why) != 0; }
    /// Adds a reason to halt; the current vCPU stops at the next return to the guest.
    void halt(Halt why);
    /// Takes a reason away and wakes the vCPU if none is left. Any context.
    void resume(Halt why);
    /// Counted pauses by others. pause() returns when it doesn't run any more; not on the caller's own vCPU.
    void pause();
    void pause_nosync();
    void unpause();
    /// Something became deliverable: ends block, and makes a running vCPU look at it. Any context.
    void kick();

    /// SCHEDOP_block and HLT: halts unless something is deliverable already. Event delivery is unmasked by the caller.
    void block();
    /// SCHEDOP_poll bookkeeping: wakes a poller of `port`.
    void event_sent(EvtPort port);

    /// The vcpu_info, wherever it is placed: in shared_info, or registered by the guest. Never null.
    abi::VcpuInfo& info() { return *info_; }
    /// Whether it has one that the guest sees; vCPUs beyond the shared info page's must register theirs first.
    bool has_info() const { return info_ != &nowhere(); }
    /// Moves the vcpu_info into guest memory. Errors: einval (twice, misplaced), efault, enoent.
    Result<> register_info(Gfn gfn, u32 offset);

    /// The vCPU that contains a scheduler's unit.
    static Vcpu& of(sched::Unit& unit);
    /// The scheduler put it on this CPU, or took it off; its registers are loaded, or saved.
    void entered_cpu(Nanoseconds now);
    void left_cpu(Nanoseconds now);

    /// The queue where its timers begin; the architecture's as well.
    TimerQueue& timer_home() { return timer_home_; }

    Affinity affinity;
    RunstateClock runstate;
    u64 time_area = 0;  ///< secondary VcpuTimeInfo, a linear address of the guest; 0: none
    u32 processor() const { return unit.cpu().raw; }

    Timer singleshot_timer;
    Timer periodic_timer;
    Nanoseconds periodic_period{0};  ///< 0: off
    Timer poll_timer;
    EvtPort poll_port{0};                  ///< 0: any of several
    std::array<EvtPort, 32> virq_ports{};  ///< port bound to each per-vCPU VIRQ; 0: none

    arch::VcpuState arch;

private:
    friend class Domain;
    void update_runnable();

    void write_runstate(Nanoseconds now);
    void wait_until_off_cpu();
    void stop_timers();
    /// It doesn't run and never will: its vcpu_info is nowhere.
    void drop_info();
    /// vcpu_info of vCPUs that have none (yet, or any more): what is noted there is lost.
    static abi::VcpuInfo& nowhere();
    static void singleshot_expired(void* context, Nanoseconds now);
    static void periodic_expired(void* context, Nanoseconds now);
    static void poll_expired(void* context, Nanoseconds now);

    std::atomic<u32> halts_{down};
    std::atomic<u32> pause_count_{0};
    abi::VcpuInfo* info_;
    FrameRef info_frame_;
};

/// The vCPU whose registers this CPU holds.
Vcpu& current_vcpu();

}  // namespace px
