// Domains that make hypercalls on the build host.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/console/console.hpp"
#include "tests/unit/domain/world.hpp"

namespace px {

class HypercallWorld : public World {
protected:
    static constexpr u64 nowhere = 0x10;  ///< no guest has memory there

    HypercallWorld() {
        DomainSettings privileged = settings();
        privileged.control = privileged.hardware = true;
        control_ = make_domain(1, privileged).vcpu(VcpuId{0});
        guest_ = make_domain(2, 2).vcpu(VcpuId{0});
    }

    /// Executes a hypercall until it is complete; `rounds` counts the executions. Guests may name `objects`.
    template <class... Objects>
    i64 invoke(HypercallHandler handler, Vcpu& caller, HypercallArgs args, Objects&... objects) {
        arch::host_become_vcpu(&caller);
        (arch::host_guest_memory(&objects, sizeof objects), ...);
        Result<Reply> reply = Reply{};
        rounds_ = 0;
        do {
            if (preempt_) raise_softirq(Softirq::timer);  // at every opportunity
            reply = handler(caller, args);
            ++rounds_;
        } while (reply.ok() && reply->again() && rounds_ < 10000);
        this_cpu().softirqs.store(0);
        arch::host_guest_memory_clear();
        arch::host_become_vcpu(nullptr);
        return to_register(reply);
    }
    template <class Op>
    static constexpr u64 number(Op op) {
        return static_cast<u64>(op);
    }
    static u64 address(const void* object) { return reinterpret_cast<u64>(object); }

    Vcpu& control() { return *control_; }
    Vcpu& guest() { return *guest_; }
    Domain& guest_domain() { return guest_->domain; }

    bool preempt_ = false;
    u32 rounds_ = 0;

private:
    Vcpu* control_;
    Vcpu* guest_;
};

}  // namespace px
