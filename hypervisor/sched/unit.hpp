// What is scheduled: a vCPU contains one.
//
// Life of a unit, and who moves it:
//
//                      wake                    pick_next
//     blocked ───► in_transit ───► waiting ───────────────► running
//        ▲            ▲   ▲        │  ▲  ▲                     │ pick_next
//        │ sleep      │   └────────┘  │  └── parked (cap)      ▼
//        └────────────┼───────────────┘                     leaving
//                     └──────────────── context_saved ─────────┘
//
// - `running` and `leaving` mean that a CPU holds the registers: on_cpu() is true from the pick_next() that chose the
//   unit until context_saved(). Neither is in any queue, so no other CPU can pick it: that, and not a check, is what
//   keeps a unit from running twice.
// - `in_transit` belongs to the one CPU that looks for a place for it.
// - `runnable` is the owner's wish (wake and sleep) and may change in every state; whoever moves the unit next obeys it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/cpu_mask.hpp"
#include "hypervisor/base/intrusive_list.hpp"
#include "hypervisor/base/nanoseconds.hpp"
#include "hypervisor/base/ordered_tree.hpp"
#include "hypervisor/sched/group.hpp"

namespace px::sched {

enum class UnitState : u8 { detached, blocked, in_transit, waiting, parked, running, leaving };

class Unit : private TreeHook<Unit>, private ListHook<Unit> {
public:
    Unit(Group& group, VcpuId id) : group(group), id(id) {}
    ~Unit() { PX_ASSERT(policy.state == UnitState::detached); }

    Group& group;
    const VcpuId id;

    /// Where it runs or ran last.
    CpuId cpu() const { return CpuId{policy.home.load(std::memory_order_acquire)}; }
    /// Whether a CPU holds its registers. Once false after sleep() (and until wake()), everything that the CPU saved is
    /// visible to the caller.
    bool on_cpu() const { return policy.on_cpu.load(std::memory_order_acquire); }

    /// The policy's part: only policies touch it, under the lock of the home queue.
    struct PolicyPart {
        std::atomic<u32> home{0};  ///< whose queue lock guards the rest; changes under the locks of both queues
        std::atomic<bool> on_cpu{false};
        UnitState state = UnitState::detached;
        bool runnable = false;
        bool yielded = false;
        u32 weight = Parameters::default_weight;  ///< the group's, as of the last charge
        u32 residue = 0;                          ///< what division by the weight left over of virtual time
        u64 virtual_time = 0;                     ///< on the home queue's clock; see fair.hpp
        Nanoseconds started;                      ///< since when it is running, as far as charged
        Nanoseconds switched_in;                  ///< when it came on the CPU
        Nanoseconds run_time;                     ///< charged so far
        Nanoseconds release;                      ///< when parked: until when
        CpuMask hard = CpuMask::all();
        CpuMask soft = CpuMask::all();
        std::optional<CpuId> wish;  ///< migrate(): where to go next
    } policy;

private:
    template <class, class, class>
    friend class px::OrderedTree;
    template <class, class>
    friend class px::IntrusiveList;
};

}  // namespace px::sched
