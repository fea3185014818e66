// Watchdogs of a domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/domain/watchdog.hpp"

#include "arch/time.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {
namespace {
TimerQueue& home_of(const Domain& domain) { return per_cpu(CpuId{domain.id.raw % online_cpus()})->timers; }
}  // namespace

Watchdogs::Watchdogs(Domain& domain)
    : domain_(domain), timers_{{{home_of(domain), expired, &domain}, {home_of(domain), expired, &domain}}} {}

void Watchdogs::expired(void* context, Nanoseconds) {
    Domain& domain = *static_cast<Domain*>(context);
    guest_log(LogLevel::warning, "domain {}: its watchdog ran out", domain.id);
    domain.shutdown(static_cast<u8>(abi::ShutdownReason::watchdog));
}

Result<u32> Watchdogs::set(u32 id, u32 seconds_left) {
    REQUIRE(id <= count && (id != 0 || seconds_left != 0), einval);
    auto in_use = in_use_.lock();
    REQUIRE(!domain_.is_dying(), einval);
    u32 slot = id - 1;
    if (id == 0) {
        slot = static_cast<u32>(std::countr_one(*in_use));
        REQUIRE(slot < count, enospc);
    } else {
        REQUIRE((*in_use >> slot & 1) != 0, einval);
    }
    if (seconds_left == 0) {
        *in_use &= ~(1u << slot);
        timers_[slot].cancel();
        return u32{0};
    }
    *in_use |= 1u << slot;
    timers_[slot].arm(arch::now() + seconds(seconds_left));
    return id == 0 ? slot + 1 : 0;
}

void Watchdogs::stop() {
    // No new one starts: the domain is dying, and whoever was in set() meanwhile has left it.
    { *in_use_.lock() = 0; }
    for (Timer& timer : timers_) timer.cancel_sync();
}

}  // namespace px
