// How long a vCPU was in each state, as guests and toolstack see it. [xen/public vcpu.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/abi/vcpu.hpp"
#include "hypervisor/base/nanoseconds.hpp"
#include "hypervisor/base/spinlock.hpp"

namespace px {

class RunstateClock {
public:
    using State = abi::Runstate;

    /// Time up to `now` counts for the old state.
    void change(State next, Nanoseconds now) {
        auto data = data_.lock();
        account(*data, now);
        if (data->state != next) data->since = now;
        data->state = next;
    }
    /// A consistent snapshot with the current state's time up to `now`.
    abi::VcpuRunstateInfo snapshot(Nanoseconds now) {
        auto data = data_.lock();
        account(*data, now);
        return {
            static_cast<i32>(data->state), static_cast<u64>(data->since.raw), {data->time[0], data->time[1], data->time[2], data->time[3]}};
    }
    /// As kept, without a lock: for the CPU that makes the changes.
    State state() const { return data_.unlocked().state; }

    /// Where the guest wants a copy at each switch: a linear address of its own; 0: nowhere.
    u64 guest_area = 0;

private:
    struct Data {
        State state = State::offline;
        Nanoseconds since{0};  ///< when the state was entered
        Nanoseconds accounted{0};
        std::array<u64, 4> time{};
    };
    static void account(Data& data, Nanoseconds now) {
        if (now > data.accounted) data.time[static_cast<usize>(data.state)] += static_cast<u64>((now - data.accounted).raw);
        data.accounted = std::max(now, data.accounted);
    }
    Locked<Data, LockRank::vcpu_state> data_;
};

}  // namespace px
